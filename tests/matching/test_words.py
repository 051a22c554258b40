"""Version expressions as vendors write them: read exactly or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.matching import versions
from vedette.matching.model import Affected
from vedette.matching.ranges import Interval
from vedette.matching.verdict import decide
from vedette.matching.versions import words
from vedette.matching.versions.words import Reason

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
    ("2.02 | 2.51 2.52 | 7.x 8.x", ["2.51", "2.52", "8.3"], ["2.53", "9.0"]),
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


# industrial expression, versions inside, outside, and those left open
INDUSTRIAL = [
    ("V15, V15.1 and V16", ["V15", "15.1", "V16"], ["V14.9"], ["V15.2", "V16 Update 1"]),
    (">FW16_up_to_and_including_FW26", ["FW 17", "26"], ["16", "27"], []),
    (
        "All versions between V2.5 (including) and V2.7 (excluding)",
        ["2.5", "2.6.9"], ["2.4", "2.7"], [],
    ),
    ("V191-V195", ["V191", "193"], ["V196"], []),
    ("12.0.1-12.0.13", ["12.0.2"], ["12.0.14"], []),
    ("< 18.1 Build 2347", ["18.0", "18.1 Build 2346"], ["18.1 build 2347", "18.2"], ["18.1"]),
    (" <1.000.HW01.3.20190820", ["1.000.HW01.1.20190813"], ["2.420.HW01.3.20190820"],
     ["1.000.HW00.1.20190813", "1.0"]),
    ("<April/20/2023", ["April 19, 2023", "2022-12-31"], ["April 20, 2023"], ["20230419", "1.0"]),
    ("<=firmware_05", ["04", "5"], ["06"], []),
    ("<=(R4.10)", ["R4.02"], ["R4.11"], []),
    ("<= F", ["B", "F"], ["G"], ["1.0"]),
    ("=> 5.0 | =< 5.0.5.31", ["5.0.1"], ["5.0.6"], []),
    ("8.2 (all editions)", ["8.2"], ["8.3"], []),
    ("* (end-of-life 2011)", ["anything"], [], []),
    ("< SE2021MP5", ["SE2020MP13"], ["SE2021MP5"], ["2020"]),
    ("8", ["8", "V8.0"], ["9"], ["8.4"]),
    ("<= V4.2.3", ["FW: 4.2.3", "S/W 4.2", "V4.2.2 Build 9"], ["4.2.4", "4.2.3 Update 1"],
     ["4.2.3 (Build 77)", "4.2.3-77", "12.05.2021"]),
    ("V4.2.3", ["FW4.2.3"], ["4.2.4 Build 1"], ["4.2.3 Build 77", "n/a", "4.2.x"]),
    ("< V4.2.3", ["4.2.2"], ["4.2.3 Build 77"], ["2021-05-12", "May 2021", "20081"]),
    ("<= 18.1 Build 2347", ["18.1 Build 2347"], ["18.1 Build 2348"], ["18.1"]),
]  # fmt: skip

REASONS = [
    ("No version", Reason.NO_VERSION),
    ("V0", Reason.NO_VERSION),
    ("All versions with U-Boot < V2016.05RS09", Reason.CONDITION),
    ("All BIOS versions < V21.01.14", Reason.CONDITION),
    ("All versions with Function State (FS) < 11", Reason.CONDITION),
    ("* (with the nossl tag)", Reason.CONDITION),
    ("Web firmware v01.12.10", Reason.FORMAT),
    ("<=the_first_5_digits_of_serial_number_22081", Reason.IDENTIFIER),
    ("MMT-1715 | MMT-1754", Reason.IDENTIFIER),
    ("2700977", Reason.IDENTIFIER),
    ("882476 Gemini TF Big Bore", Reason.IDENTIFIER),
    ("900S", Reason.IDENTIFIER),
    ("4K | 4.5.181", Reason.IDENTIFIER),
    ("< 1.28.16 | < 1.24.69", Reason.AMBIGUOUS),
    (">= 2.0.0 | 2.6.2", Reason.AMBIGUOUS),
    ("up to 2.0", Reason.AMBIGUOUS),
    ("20-33", Reason.AMBIGUOUS),
    ("< 16 | 6", Reason.AMBIGUOUS),
    ("<= 8.1 | >= 8.1.10", Reason.AMBIGUOUS),
    ("< VX.17 Update 5", Reason.AMBIGUOUS),
    ("< SP1 P01", Reason.AMBIGUOUS),
    ("< Hotfix-145271", Reason.AMBIGUOUS),
    ("<= 2019 SPI", Reason.AMBIGUOUS),
    ("<= R2", Reason.AMBIGUOUS),
    ("< 8.1x", Reason.AMBIGUOUS),
    ("R2 SP1", Reason.AMBIGUOUS),
    ("< 4.3.11SP", Reason.FORMAT),
    ("FPGA_10.16_CPU_1.7.0", Reason.FORMAT),
    ("< 12.4 (firmware 1.46)", Reason.CONDITION),
    ("< 1.42.06162022", Reason.FORMAT),
    ("< august 28", Reason.FORMAT),
    ("<1.0" * 1000, Reason.TOO_LONG),
]


def decided(expression: str, version: str) -> str:
    found = words.parse(expression, scheme=versions.FIRMWARE)
    doubt = words.doubts(found)
    stated = Affected(ranges=(found, doubt) if doubt else (found,), scheme=versions.FIRMWARE)
    return decide(version, stated).verdict


@pytest.mark.parametrize(("expression", "inside", "outside", "left_open"), INDUSTRIAL)
def test_industrial_words_are_decided_or_left_open(
    expression: str, inside: list[str], outside: list[str], left_open: list[str]
) -> None:
    for verdict, stated in (
        ("affected", inside), ("unaffected", outside), ("unknown", left_open),
    ):  # fmt: skip
        assert [v for v in stated if decided(expression, v) != verdict] == [], verdict


@pytest.mark.parametrize(("expression", "reason"), REASONS)
def test_what_is_not_read_has_its_reason(expression: str, reason: Reason) -> None:
    found = words.parse(expression, scheme=versions.FIRMWARE)
    assert found.problem.endswith(f"({reason})")
    assert decided(expression, "1.0") == "unknown"
    assert decided(expression, "whatever") == "unknown"


# industrial expression, versions that depend on the condition, versions outside, the condition
CONDITIONS = [
    ("< V10.3.3.3 only if web components are used", ["10.3"], ["10.4"],
     "only if web components are used"),
    ("<= 3.3-006 (with <= bacnetstac 4.2.1)", ["3.3-006"], ["3.4"], "with <= bacnetstac 4.2.1"),
    ("All versions <= V2.2.2 and Function State (FS) <= 8", ["2.2.2"], ["2.2.3"],
     "Function State (FS) <= 8"),
    ("8.3.2 on Windows 2008 Rs SP1", ["8.3.2"], ["8.3.3"], "on Windows 2008 Rs SP1"),
    ("Essential Edition V2.8.0.060", ["2.8.0.060"], ["2.8.1"], "Essential Edition"),
    ("* (with the nossl tag)", ["1.0", "what"], [], "with the nossl tag"),
    ("<= 1.01.28 (with ScreenEditor Version 1.01.2)", ["1.01.28"], ["1.02"],
     "with ScreenEditor Version 1.01.2"),
    ("BIOS < V20.01.10", ["20.01.09", "21"], [], "BIOS < V20.01.10"),
    ("<=the_first_5_digits_of_serial_number_20082", ["1.0"], [],
     "<=the first 5 digits of serial number 20082"),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "open_ones", "outside", "condition"), CONDITIONS)
def test_under_a_condition_versions_are_open_and_others_unaffected(
    expression: str, open_ones: list[str], outside: list[str], condition: str
) -> None:
    found = words.read(expression, versions.FIRMWARE)
    assert (found.condition, found.understood) == (condition, True)
    assert [v for v in open_ones if decided(expression, v) != "unknown"] == []
    assert [v for v in outside if decided(expression, v) != "unaffected"] == []


@pytest.mark.parametrize(
    "expression",
    [
        "All versions < V8.1 SP1 with WinCC V7.3 Upd 13",  # the bound itself is qualified
        "<= 7.20 (7.50 and 7.60 may also be affected if WibuKey was installed manually)",
        "<=v2.11_including_hotfixes",
        "< 1.3.0 (Build Nr. 1.3.0.1339)",
        "6.02 (only 5.83 and later versions 5.92)",
    ],
)
def test_a_condition_that_speaks_of_other_versions_leaves_all_open(expression: str) -> None:
    assert not words.read(expression, versions.FIRMWARE).understood
    assert {decided(expression, v) for v in ("1.0", "7.50", "99")} == {"unknown"}


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("MMT-1715 | MMT-1754", ("MMT-1715", "MMT-1754")),
        ("DH-IPC-HFW1XXX,", ("DH-IPC-HFW1XXX",)),
        ("1763-L16AWA", ("1763-L16AWA",)),
        ("2701680", ("2701680",)),
        ("882476 Gemini TF Big Bore", ("882476 Gemini TF Big Bore",)),
        ("v9.x model 35700BAX3", ("35700BAX3",)),
        ("474021A.102", ("474021A.102",)),
        ("053L000091 (global) / 054U000091 (U.S.)", ("053L000091", "054U000091")),
        ("1SAP561100R0001 (revision index B1 with BSP <= UN30 1.76)", ("1SAP561100R0001",)),
        ("1SAP520100R0001 | G1  with BSP <= UN31 1.76", ("1SAP520100R0001",)),
        ("SE2021MP3", ()),
        ("SR620", ()),
        ("MMT-508 MiniMed pump", ()),
        ("900S", ()),
        ("HD 16 | HD23", ()),
    ],
)
def test_words_that_name_models_decide_no_version(expression: str, names: tuple[str, ...]) -> None:
    assert words.read(expression, versions.FIRMWARE).names == names
    assert decided(expression, "9.1") == "unknown"


def test_an_order_number_may_bear_a_condition() -> None:
    found = words.read("1SAP561100R0001 (revision index B1 with BSP <= UN30 1.76)", "firmware")
    assert (found.condition, found.within) == ("revision index B1 with BSP <= UN30 1.76", ())


def test_a_product_named_under_a_condition_leaves_its_versions_open() -> None:
    found = words.parse("<= 1.5", scheme=versions.FIRMWARE, condition="running Android OS")
    assert (found.status, found.words) == ("unknown", "running Android OS <= 1.5")
    assert isinstance(found.find("1.0"), Interval)
    assert found.find("1.6") is False
    serial = words.parse("<=23121", scheme=versions.FIRMWARE, condition="digits of serial No.")
    assert serial.problem
    assert serial.find("99999") is None


@pytest.mark.parametrize(("expression", "inside", "outside"), READ)
def test_industrial_products_read_no_less(
    expression: str, inside: list[str], outside: list[str]
) -> None:
    assert [v for v in inside if decided(expression, v) != "affected"] == []
    assert [v for v in outside if decided(expression, v) != "unaffected"] == []


@given(
    st.text(max_size=60) | st.text("<>=|,&-_/() vVxXrRsSpP*0123456789.and", max_size=60),
    st.sampled_from(["1.0", "V2 SP1", "A1", "April 1, 2023", "?"]),
)
def test_no_text_yields_both_a_reading_and_a_reason(text: str, version: str) -> None:
    found = words.read(text, versions.FIRMWARE)
    assert bool(found.intervals) != bool(found.reason)
    assert found.reason or not (found.within or found.names or found.condition)
    if found.reason:
        assert decided(text, version) == "unknown"
