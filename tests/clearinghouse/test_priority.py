"""The deadline of a vulnerability: sixteen rows, each as the directive has it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.clearinghouse.priority import decide, rows_of
from vedette.kernel.errors import BadInput
from vedette.kernel.packs import default_pack

PACK = default_pack()
START = date(2026, 12, 1)
# KEV, exposed, automatable, total -> days ("" next upgrade, F forensics)
TABLE = {
    "nnnp": "",
    "nnnt": "",
    "nnyp": "60",
    "nnyt": "60",
    "nynp": "60",
    "nynt": "14",
    "nyyp": "14",
    "nyyt": "3",
    "ynnp": "14",
    "ynnt": "14",
    "ynyp": "14",
    "ynyt": "3F",
    "yynp": "14",
    "yynt": "3F",
    "yyyp": "3",
    "yyyt": "3F",
}


@pytest.mark.parametrize(("facts", "answer"), TABLE.items())
def test_each_row(facts: str, answer: str) -> None:
    kev, exposed, automatable, total = (fact in "yt" for fact in facts)
    found = decide(PACK, kev, exposed, automatable, "total" if total else "partial", START)
    days = int(answer.removesuffix("F")) if answer else None
    assert found.row == "/".join([*facts[:3], "total" if total else "partial"])
    assert found.deadline_days == days
    assert found.deadline == (None if days is None else START + timedelta(days=days))
    assert found.forensics == answer.endswith("F")
    assert found.next_upgrade == (days is None)
    assert found.pack == "us-eo-14409@1"


def test_the_table_has_these_rows_and_no_others() -> None:
    assert set(rows_of(PACK)) == {
        "/".join([*key[:3], "total" if key[3] == "t" else "partial"]) for key in TABLE
    }


@given(*[st.booleans()] * 3, st.sampled_from(["partial", "total"]))
def test_one_more_bad_fact_never_gives_more_time(
    kev: bool, exposed: bool, automatable: bool, impact: str
) -> None:
    def days(*facts: bool) -> int:
        found = decide(PACK, *facts, impact, START)  # type: ignore[misc]
        return 10**6 if found.deadline_days is None else found.deadline_days

    now = days(kev, exposed, automatable)
    assert days(True, exposed, automatable) <= now
    assert days(kev, True, automatable) <= now
    assert days(kev, exposed, True) <= now
    total = decide(PACK, kev, exposed, automatable, "total", START)
    assert total.order <= decide(PACK, kev, exposed, automatable, "partial", START).order


def test_the_most_urgent_sorts_first() -> None:
    urgent = decide(PACK, True, True, True, "total", START)
    without = decide(PACK, False, True, True, "total", START)
    later = decide(PACK, False, False, False, "total", START)
    assert sorted([later, without, urgent], key=lambda p: p.order) == [urgent, without, later]


def test_bad_input_names_its_field() -> None:
    with pytest.raises(BadInput, match="impact"):
        decide(PACK, True, True, True, "huge", START)
    with pytest.raises(BadInput, match="from: 3 days after 9999-12-31"):
        decide(PACK, True, True, True, "total", date.max)
