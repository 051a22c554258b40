"""One answer to several notices, and its undoing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.services.advisories import osv, publish
from tests.services.operators import FACTS, build, events, hosted, house, take

from vedette.kernel.errors import BadInput, Forbidden, NotFound
from vedette.services import bulk_answers, notices
from vedette.services.acting import Actor
from vedette.services.operator_views import notice_list, rows_in_use
from vedette.services.testing import START, Fixture
from vedette.store.tenancy import scoped

__all__ = ["house"]

UNTIL = START + timedelta(days=9)


@pytest.fixture
def actor(house: Fixture) -> Actor:
    made = hosted(house)
    for number in range(4):
        publish(
            house,
            osv(f"x_vedette-{number}", "2.0", package=f"part{number}"),
            priority={**FACTS, "kev": number == 0},
        )
    build(house)
    take(made, *(f"pkg:pypi/part{number}@1.0" for number in range(3)), "pkg:pypi/part3")
    return made


def states(actor: Actor) -> dict[str, str]:
    return {notice["advisory"][-1]: notice["state"] for notice in notices.notices(actor)}


def ids(actor: Actor, *numbers: int) -> list[str]:
    found = {notice["advisory"][-1]: notice["id"] for notice in notices.notices(actor)}
    return [found[str(number)] for number in numbers]


def test_one_answer_is_given_to_all_and_undone(house: Fixture, actor: Actor) -> None:
    notices.answer_notice(actor, ids(actor, 1)[0], "deferred", "segmented", UNTIL)
    before = notices.notices(actor)
    made = bulk_answers.answer_several(actor, ids(actor, 0, 1, 2), "not-affected")
    assert (len(made.notices), made.refused) == (3, ())
    assert states(actor) == {
        **dict.fromkeys("012", "not-affected"),
        "3": "unanswered",
    }
    assert len(bulk_answers.in_batch(actor, made.batch)) == 3
    undone = bulk_answers.undo(actor, made.batch)
    assert sorted(undone.notices) == sorted(made.notices)
    again = notices.notices(actor)
    for old, new in zip(before, again, strict=True):
        assert (old["state"], old["control"], old["expires_at"]) == (
            *(new["state"], new["control"], new["expires_at"]),
        )
    assert events(ids(actor, 0)[0]).count("operator:notice:answered") == 2
    with pytest.raises(NotFound, match="stand"):
        bulk_answers.undo(actor, made.batch)


def test_what_moved_since_is_not_undone(actor: Actor) -> None:
    made = bulk_answers.answer_several(actor, ids(actor, 0, 1), "not-affected")
    notices.answer_notice(actor, ids(actor, 0)[0], "patched")
    assert bulk_answers.undo(actor, made.batch).notices == (ids(actor, 1)[0],)
    assert states(actor)["0"] == "patched"


def test_a_deferral_that_is_over_does_not_come_back(house: Fixture, actor: Actor) -> None:
    notices.answer_notice(actor, ids(actor, 0)[0], "deferred", "segmented", UNTIL)
    made = bulk_answers.answer_several(actor, ids(actor, 0), "patched")
    house.clock.time = UNTIL + timedelta(days=1)
    bulk_answers.undo(actor, made.batch)
    assert states(actor)["0"] == "unanswered"


def test_one_that_can_not_be_answered_so_stops_no_other(actor: Actor) -> None:
    bulk_answers.answer_several(actor, ids(actor, 0), "patched")
    take(actor, *(f"pkg:pypi/part{number}@{2 if number == 0 else 1}.0" for number in range(3)))
    assert states(actor)["0"] == "verified"
    made = bulk_answers.answer_several(actor, ids(actor, 0, 1), "not-affected")
    assert [notice for notice, _ in made.refused] == ids(actor, 0)
    assert states(actor)["1"] == "not-affected"


def test_a_deferral_of_several_has_its_control_and_day(actor: Actor) -> None:
    made = bulk_answers.answer_several(actor, ids(actor, 0, 1), "deferred")
    assert (len(made.notices), len(made.refused)) == (0, 2)
    made = bulk_answers.answer_several(actor, ids(actor, 0, 1), "deferred", "diode", UNTIL)
    assert [n["control"] for n in notices.notices(actor) if n["state"] == "deferred"] == [
        *("diode", "diode")
    ]


def test_others_answer_and_undo_nothing(house: Fixture, actor: Actor) -> None:
    other, reader = hosted(house, "Other"), house.person("reader", actor.org)
    made = bulk_answers.answer_several(actor, ids(actor, 0), "patched")
    for stranger in (other, house.person("administrator")):
        with pytest.raises(NotFound):
            bulk_answers.answer_several(stranger, ids(actor, 1), "patched")
        with pytest.raises(NotFound):
            bulk_answers.undo(stranger, made.batch)
    for attempt in (
        lambda: bulk_answers.answer_several(reader, ids(actor, 1), "patched"),
        lambda: bulk_answers.undo(reader, made.batch),
    ):
        with pytest.raises(Forbidden):
            attempt()
    for wrong in ([], [f"notice-{number}" for number in range(501)]):
        with pytest.raises(BadInput, match="expected"):
            bulk_answers.answer_several(actor, wrong, "patched")
    with pytest.raises(NotFound, match="is not here"):
        bulk_answers.answer_several(actor, [*ids(actor, 1), "notice-1"], "patched")
    assert states(actor)["1"] == "unanswered", "a stranger's id among them answers none"


def test_the_inbox_is_narrowed_by_verdict_confidence_and_row(actor: Actor) -> None:
    with scoped(actor.scope):
        assert set(rows_in_use(actor)) == {"y/n/y/partial", "n/n/y/partial"}

        def found(**narrowed: str) -> list[str]:
            rows = notice_list(actor, **narrowed)  # type: ignore[arg-type]
            return sorted(row.advisory[-1] for row in rows)

        assert found(row="y/n/y/partial") == ["0"]
        assert found(verdict="unknown") == ["3"], "without a version"
        assert found(verdict="affected") == ["0", "1", "2"]
        assert found(confidence="exact") == ["0", "1", "2"]
        assert found(confidence="possible", verdict="affected") == []
