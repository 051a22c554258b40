"""What differs between two indexes, and what of an inventory it can touch."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from tests.matching.build import assets, inventory, osv

from vedette.matching import changes, identity
from vedette.matching.building import build
from vedette.matching.index import Index
from vedette.matching.model import Component, Inventory

OPEN = [{"introduced": "0"}, {"fixed": "2"}]
some = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(("1", "2", "3")), max_size=6)


def index(fixed: dict[str, str]) -> Index:
    events = {name: [{"introduced": "0"}, {"fixed": at}] for name, at in fixed.items()}
    data = build(osv(f"x_{name}", f"p{name}", found) for name, found in events.items())
    return Index(data, f"index {sorted(fixed.items())}")


@given(some, some)
def test_the_records_that_differ(before: dict[str, str], after: dict[str, str]) -> None:
    old, new = index(before), index(after)
    expected = {n for n in before.keys() | after.keys() if before.get(n) != after.get(n)}
    assert changes.differing([old], [new]) == {f"x_{name}" for name in expected}
    found = changes.readings({f"x_{name}" for name in "abcdefg"}, [old, new, new])
    assert sorted(a.id for a in found) == sorted(
        f"x_{n}" for one in ([before, after] if old.name != new.name else [before]) for n in one
    )


def test_what_two_makers_both_hold_is_no_change_when_it_stays() -> None:
    kept, old, new = index({"a": "1"}), index({"a": "1", "b": "1"}), index({"b": "1", "c": "1"})
    assert changes.differing([kept, old], [kept, new]) == {"x_a", "x_c"}
    assert [a.id for a in changes.readings({"x_a"}, [kept, new])] == ["x_a"]


def test_components_are_found_by_each_of_their_keys_together_with_their_likes() -> None:
    both = replace(
        inventory("pkg:pypi/one@1", "pkg:pypi/two@1"),
        components=(
            Component("same", purl="pkg:pypi/one@1"),
            Component("alone", purl="pkg:pypi/One@2"),
            Component("same", purl="pkg:pypi/two@1"),
        ),
    )
    held = changes.held(both)
    assert [place for place, _ in held[changes.code("pypi/one")]] == [0, 2, 1]
    assert [place for place, _ in held[changes.code("pypi/two")]] == [0, 2]
    rows = [*held[changes.code("pypi/one")], *held[changes.code("pypi/two")]]
    assert changes.part(both.name, rows).components == both.components
    plant = assets({"vendor": "Siemens", "product": "SCALANCE X204", "model": "6GK5204-0BA00-2BB2"})
    assert set(changes.held(plant)) == {
        changes.code(key) for key in identity.of_component(plant.components[0])
    }


def test_one_id_for_everything_is_not_taken_apart() -> None:
    def alike(count: int) -> Inventory:
        purls = (f"pkg:pypi/p{n}@1" for n in range(count))
        return Inventory("plant", tuple(Component("id", purl=purl) for purl in purls))

    assert changes.separable(alike(changes.MOST_ALIKE))
    assert not changes.separable(alike(changes.MOST_ALIKE + 1))
    assert changes.held(alike(changes.MOST_ALIKE + 1)) == {}
