"""Version expressions as vendors write them: read exactly or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.matching.ranges import Interval
from vedette.matching.versions import words

# expression, versions inside, versions outside
READ = [
    ("vers:all/<V3.2.19", ["V3.2.18", "3.2"], ["V3.2.19", "V4"]),
    ("vers:all/>=V7.80<V9.40", ["7.80", "V9.39"], ["7.79", "V9.40"]),
    ("vers:all/*", ["1", "whatever"], []),
    ("All versions", ["1"], []),
    ("All Versions < V15.1 SP2", ["V15.1", "V15.1 SP1 HF4"], ["V15.1 SP2", "V16"]),
    ("< V4.2.3 Update 1", ["V4.2.3"], ["V4.2.3 Update 1"]),
    ("2.3.6 and  below", ["2.3.6", "1.0"], ["2.3.7"]),
    ("2.3.6 and prior versions", ["2.3.6"], ["2.3.7"]),
    ("All versions prior to 4.1", ["4.0.9"], ["4.1"]),
    ("before version 1.5.05.46", ["1.5.5.45"], ["1.5.5.46"]),
    ("releases prior to 20220319", ["20220318"], ["20220319"]),
    ("Version 2.1 or later", ["2.1", "9"], ["2.0"]),
    (">= 6.3.0.0 | <= 6.3.0.2", ["6.3.0.1"], ["6.2", "6.3.0.3"]),
    (">= V3.0 and < V3.2", ["3.1"], ["3.2"]),
    ("> V3.0 < V3.2", ["3.1"], ["3.0"]),
    ("<= 1.12.0.27 | 1.12.13.2", ["1.12.0.27", "1.12.13.2"], ["1.12.13.1", "1.12.14"]),
    ("2.3.x", ["2.3", "2.3.9"], ["2.4", "2.2.9"]),
    ("<= V9.x", ["V9.9", "8"], ["10.0"]),
    ("≤ 2.0", ["2.0"], ["2.0.1"]),
    ("10.1 | 10.2", ["10.2"], ["10.3"]),
    ("vers:pypi/>=1.0|<2.0", ["1.5rc1"], ["2.0"]),
    ("1.0 through 1.4", ["1.0", "1.4"], ["1.5"]),
]

UNREAD = [
    "All versions with U-Boot < V2016.05RS09",
    "All BIOS versions < V21.01.18",
    "<=the_first_5_digits_of_serial_number_22081",
    "All versions <= V3.0.3 and Function State (FS) <= 4",
    "up to 2.0",
    "< V4.X",
    "< 1.0 | < 2.0",
    ">= 3.0 | < 2.0",
    "No version",
    "",
    "Windows Server 2003",
    "<",
    "1.0 to 2.0",
    "<= 1.0 and other things",
    "<1.0" * 1000,
]


@pytest.mark.parametrize(("expression", "inside", "outside"), READ)
def test_expressions_are_read(expression: str, inside: list[str], outside: list[str]) -> None:
    found = words.parse(expression)
    assert not found.problem
    assert [v for v in inside if not isinstance(found.find(v), Interval)] == []
    assert [v for v in outside if found.find(v) is not False] == []
    assert str(found) == expression


@pytest.mark.parametrize("expression", UNREAD)
def test_what_has_no_single_reading_is_undecided(expression: str) -> None:
    found = words.parse(expression)
    assert found.problem
    assert found.find("1.0") is None


def test_versions_keep_the_vendors_spelling() -> None:
    assert words.parse("All Versions PRIOR TO V15.1 SP2").intervals == (
        Interval(None, "V15.1 SP2"),
    )


@given(st.text(max_size=60) | st.text("<>=|,& vVxX*0123456789.and", max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    found = words.parse(text)
    assert bool(found.intervals) != bool(found.problem)
