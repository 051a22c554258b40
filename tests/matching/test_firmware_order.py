"""Industrial firmware: an order of its own, told by a model that knows nothing of bytes."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.matching import versions
from vedette.matching.versions import firmware

LADDERS = [
    ["V4.7 beta", "V4.7 rc1", "V4.7", "V4.7 HF27", "V4.7 SP4", "V4.7 SP4 HF1", "V4.7 SP5", "V4.8"],
    ["V15.1", "V15.1 Upd4", "V15.1 SP1", "V15.1 SP1 Update 2", "V16", "V16 Update 3a"],
    ["1.003A", "1.003D", "1.004", "1.090U"],
    ["2.4.7 Build 16102415", "2.4.7 Build 16102416", "2.4.8"],
    ["V20.3", "V20.3 HotfixRev7", "V20.3 HotfixRev12", "V20.3 Update 1"],
    ["1.2 FP1", "1.2 FP2", "1.2 FP2 HF6", "1.3"],
    ["2019-12-31", "January 31 2020", "April/5/2023", "April 20, 2023", "7 May 2023"],
    ["6.5.1.5-4.3.1.7", "6.5.1.5-4.3.1.8", "6.5.1.6-1.0"],
    ["5.21a-1.18a", "5.21a-1.18b", "5.21b-1.01"],
    ["1.000.HW01.1.190813", "1.000.HW01.3.20190820", "2.420.HW01.33.20190812"],
    ["A0.9", "A0.10", "A1"],
    ["V01L004", "V01L061", "V02L007"],
    ["SE2020MP13", "SE2021MP5", "SE2021MP12"],
    ["15.2(6)E2a", "15.2(7)E0a"],
    ["B", "F", "W"],
    ["R203", "R203-V1", "R203-V2", "R204"],
]
ALIKE = [
    ["V4.2.3 Update 1", "4.2.3 upd1", "v4.2.3.0 Update 01", "Firmware V4.2.3 U1"],
    ["R14B", "r14b"],
    ["(R4.10)", "R4.10"],
    ["V8.1 Service Pack 2", "8.1 SP2", "V8.1.SP2"],
    ["1.0 (2149)", "1.0 (build 2149)", "1.0 Build 2149"],
]
APART = [
    ("A0.10", "B0.10"),
    ("A0.10", "0.10"),
    ("1.000.HW00.1.20190101", "1.000.HW01.1.20190101"),
    ("2023-01-02", "20230102"),
    ("15.2(6)E2a", "15.2(6)E2"),
    ("1p1r26", "1"),
    ("1.0 SP1 beta", "1.0"),
    ("1.0 HF1 SP2", "1.0 SP2"),
]
UNREAD = [
    *("", "NVR 5.6 Build 595 T2-Patch", "Main r1600 Estop_v24", "august 28", "2 Feb"),
    *("1.42.06162022", "70044_update_05032019-482", "1.2 SP1 SP2", "X", "April 40, 2023"),
    *("12.4 (firmware 1.46)", "2018 R2 SP1 Version 2.2.0.183", "1.2 FP2 HF6 (1.2.14002.257)"),
    *("8.1x", "R7x", "1.X.3", "CIR_CDC_v1.2.17", "CIR CDC v1.2.17", "RTS/RTD_3.6.6"),
    *("Windows Server 2003", "serial number 22081", "V3.X.17", "４.2", "2.51 2.52"),
]  # fmt: skip


def scheme(version: str) -> str:
    name = firmware.track(version)
    return f"{versions.FIRMWARE}:{name}" if name else versions.FIRMWARE


def key(version: str) -> Any:
    return versions.key(scheme(version), version)


@pytest.mark.parametrize("ladder", LADDERS, ids=lambda ladder: ladder[0])
def test_each_is_below_the_next(ladder: list[str]) -> None:
    assert len({firmware.track(v) for v in ladder}) == 1
    keys = [key(v) for v in ladder]
    assert None not in keys
    assert all(low < high for low, high in pairwise(keys))


@pytest.mark.parametrize("alike", ALIKE, ids=lambda alike: alike[0])
def test_spellings_of_one_version_are_equal(alike: list[str]) -> None:
    assert len({key(v) for v in alike}) == 1
    assert None not in {key(v) for v in alike}


@pytest.mark.parametrize(("one", "other"), APART)
def test_versions_of_two_tracks_are_not_compared(one: str, other: str) -> None:
    assert key(one) is not None
    assert versions.key(scheme(one), other) is None
    assert versions.key(scheme(other), one) is None


@pytest.mark.parametrize("version", UNREAD)
def test_what_has_no_order_has_no_key(version: str) -> None:
    assert firmware.read(version) is None


WORDS = ("SP", "FP", "Update", "HF", "Patch", "Build")
levels = st.dictionaries(st.sampled_from(WORDS), st.integers(1, 99), max_size=3)
stages = st.sampled_from(["beta", "rc", ""])
shapes = st.tuples(
    st.lists(st.integers(0, 30), min_size=1, max_size=4),
    st.sampled_from(["", "a", "b"]),
    stages,
    levels,
)


def spelled(shape: Any, prefix: str) -> str:
    numbers, letter, stage, named = shape
    parts = [prefix + ".".join(map(str, numbers)) + letter]
    parts += [stage] if stage else []
    parts += [f"{word} {named[word]}" for word in WORDS if word in named]
    return " ".join(parts)


def compared(shape: Any) -> tuple[Any, ...]:
    numbers, letter, stage, named = shape
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers = numbers[:-1]
    order = ("beta", "rc", "").index(stage)
    return (numbers, letter, order, [named.get(word, 0) for word in WORDS])


@given(shapes, shapes, st.sampled_from(["", "V", "v ", "Version "]))
def test_the_keys_order_is_that_of_the_parts(one: Any, other: Any, prefix: str) -> None:
    mine, theirs = key(spelled(one, prefix)), key(spelled(other, "V"))
    assert (mine < theirs) == (compared(one) < compared(other))
    assert (mine == theirs) == (compared(one) == compared(other))


tracked = st.tuples(
    st.sampled_from(["A", "B", "CPCI85 V"]), st.lists(st.integers(0, 99), min_size=2, max_size=3)
)


@given(tracked, tracked, tracked)
def test_a_track_is_totally_ordered_and_apart_from_others(one: Any, two: Any, three: Any) -> None:
    texts = [name + ".".join(map(str, numbers)) for name, numbers in (one, two, three)]
    for text in texts:
        assert versions.key(scheme(texts[0]), text) is None or scheme(text) == scheme(texts[0])
    mine = [k for t in texts if (k := versions.key(scheme(texts[0]), t)) is not None]
    for a in mine:
        for b in mine:
            assert (a < b) + (b < a) + (a == b) == 1
            assert all(not (a < b <= c) or a < c for c in mine)


@given(st.text(max_size=40) | st.text("0123456789.-_ ()vVabrspSPHFxX/", max_size=40))
def test_no_text_breaks_the_order(text: str) -> None:
    found = firmware.read(text)
    assert found is None or versions.key(scheme(text), text) == found[1]


@pytest.mark.parametrize(
    ("version", "bare"),
    [
        ("18.1 Build 2347", "18.1"),
        ("V2.0 SP1 Build 4", "V2.0 SP1"),
        ("1.4.18-5", "1.4.18"),
        ("2.11 R3 2259", "2.11 R3"),
        ("V4.7 HF27", None),
        ("A0.10", None),
    ],
)
def test_a_version_without_its_build(version: str, bare: str | None) -> None:
    assert firmware.without_build(version) == bare
