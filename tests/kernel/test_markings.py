"""Markings form a lattice, and their written form reads back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.kernel.errors import BadInput
from vedette.kernel.markings import CLEAR, LEVELS, RED, TLP, Marking, join

markings = st.builds(
    Marking,
    st.sampled_from(list(TLP)),
    st.integers(0, len(LEVELS) - 1),
    st.frozensets(st.sampled_from(["ALPHA", "BRAVO", "CHARLIE"])),
)


@given(markings, markings, markings)
def test_join_is_associative_commutative_idempotent(a: Marking, b: Marking, c: Marking) -> None:
    assert a.join(b.join(c)) == a.join(b).join(c)
    assert a.join(b) == b.join(a)
    assert a.join(a) == a
    assert a.join(CLEAR) == a


@given(markings, markings)
def test_join_is_the_least_upper_bound(a: Marking, b: Marking) -> None:
    upper = a.join(b)
    assert upper.dominates(a)
    assert upper.dominates(b)
    assert a.dominates(b) == (a.join(b) == a)


@given(markings, markings, markings)
def test_dominance_is_an_order(a: Marking, b: Marking, c: Marking) -> None:
    assert a.dominates(a)
    if a.dominates(b) and b.dominates(a):
        assert a == b
    if a.dominates(b) and b.dominates(c):
        assert a.dominates(c)
    if c.dominates(a) and c.dominates(b):
        assert c.dominates(a.join(b))


@given(st.lists(markings))
def test_a_derived_document_dominates_every_part(parts: list[Marking]) -> None:
    whole = join(parts)
    assert all(whole.dominates(part) for part in parts)
    assert whole == join(reversed(parts))


@given(markings)
def test_written_form_reads_back(marking: Marking) -> None:
    assert Marking.parse(str(marking)) == marking


def test_unmarked_is_the_highest_label() -> None:
    assert Marking() == RED


@pytest.mark.parametrize(
    "text",
    [
        *("", "TLP", "TLP:", "TLP:WHITE", "AMBER", "tlp:red", "TLP:AMBER_STRICT", "TLP:RED "),
        *("SECRET", "HIGH//TLP:RED", "SECRET//A//B//TLP:RED", "SECRET////TLP:RED", "TLP:RED//CUI"),
        "SECRET//ALPHA//TLP:RED\n",
    ],
)
def test_a_marking_that_cannot_be_read_is_never_guessed(text: str) -> None:
    with pytest.raises(BadInput, match="marking"):
        Marking.parse(text)
