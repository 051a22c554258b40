"""Reviews as tables and rules: who moves what, what may be counted, what stands."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from vedette.engagement.review import (
    TABLES,
    Party,
    QuestionState,
    Stand,
    View,
    comment_marking,
    counted,
    disagreement,
    past_day,
    standing,
    text_digest,
)
from vedette.kernel.markings import AMBER, TLP, Marking

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
MARKS = st.builds(
    Marking, st.sampled_from(TLP), st.integers(0, 4), st.frozensets(st.sampled_from("AB"))
)
VIEWS = st.lists(
    st.builds(
        lambda office, stand, hour: View(
            office, stand, "", AMBER, NOW + timedelta(hours=hour), text_digest("x")
        ),
        st.sampled_from(["one", "two", "three"]),
        st.sampled_from(Stand),
        st.integers(0, 99),
    ),
    unique_by=lambda view: view.at,
)


def test_each_move_is_named_once() -> None:
    for table in TABLES:
        keys = [(row.source, row.trigger, row.actor) for row in table.rows]
        assert len(set(keys)) == len(keys)
        assert all(row.label and row.permission for row in table.rows)


def test_no_state_of_a_question_is_a_dead_end_for_the_lab_and_nobody_else_moves_one() -> None:
    question = next(table for table in TABLES if table.name == "question on a field")
    assert {row.actor for row in question.rows} == {Party.LAB}
    assert all(question.moves(state, Party.LAB) for state in QuestionState)


@given(st.lists(MARKS), MARKS)
def test_what_lies_above_a_readers_level_is_not_even_counted(
    hidden: list[Marking], reader: Marking
) -> None:
    secret = Marking(TLP.CLEAR, 0, frozenset({"Z"}))
    assert counted([*hidden, secret], reader) == counted(hidden, reader) <= len(hidden)
    assert counted([m for m in hidden if reader.dominates(m)], reader) == 0


@given(MARKS, MARKS)
def test_a_comment_is_never_marked_below_its_field(chosen: Marking, field: Marking) -> None:
    made = comment_marking(chosen, field)
    assert made.dominates(chosen)
    assert made.dominates(field)


@given(VIEWS, st.randoms())
def test_the_latest_view_of_each_office_stands_in_any_order(views: list[View], rng: object) -> None:
    latest = standing(views)
    mixed = list(views)
    rng.shuffle(mixed)  # type: ignore[attr-defined]
    assert standing(mixed) == latest
    assert all(latest[view.office].at >= view.at for view in views)
    apart = disagreement(views, text_digest("x"))
    assert {v.office for v in apart} == {
        name for name, view in latest.items() if view.stand == Stand.DISAGREES
    }


@given(st.sampled_from(["open", "under way", "done", "dropped"]), st.integers(-3, 3))
def test_only_an_unfinished_task_is_past_its_day(state: str, days: int) -> None:
    due: date = NOW.date() + timedelta(days=days)
    assert past_day(state, due, NOW) == (state in ("open", "under way") and days < 0)
    assert not past_day(state, None, NOW)
