"""Vendors' names: repaired, without legal forms, one name for a company, several in a string."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.matching import vendors

ONE = [
    ("Siemens AG", "siemens"),
    ("Moxa Technologies Co., Ltd.", "moxa"),
    ("Advantech Co., Ltd", "advantech"),
    ("Mitsubishi Electric Corporation", "mitsubishi electric"),
    ("General Electric (GE)", "general electric"),
    ("GE", "general electric"),
    ("Becton, Dickinson and Company (BD)", "becton dickinson"),
    ("3S-Smart Software Solutions GmbH", "codesys"),
    ("Automation Direct", "automationdirect"),
    ("Phoenix Contact GmbH & Co. KG", "phoenix contact"),
    ("ACME S.A.", "acme"),
    ("Weidmüller", "weidmueller"),
    ("Geutebr\u00c3\u00bcck GmbH", "geutebrueck"),
    ("Innokas Yhtym\u00c3\u00a4 Oy", "innokas yhtyma"),
    ("LCDS - Le\u00c3\u00a3o Consultoria e Desenvolvimento de Sistemas Ltda ME", "lcds"),
    ("Ｓｉｅｍｅｎｓ", "siemens"),
]
SEVERAL = [
    ("ICONICS, Mitsubishi Electric", ("iconics", "mitsubishi electric")),
    (
        "Sensormatic Electronics, LLC, a subsidiary of Johnson Controls Inc.",
        ("sensormatic electronics", "johnson controls"),
    ),
    (
        "ABB, Phoenix Contact, Schneider Electric, Siemens, and WAGO",
        ("abb", "phoenix contact", "schneider electric", "siemens", "wago"),
    ),
    ("LS ELECTRIC, LS Industrial Systems (LSIS) Co. Ltd-", ("ls electric",)),
    ("Baker Hughes - Bently Nevada", ("baker hughes", "bently nevada")),
    ("Hillrom and ELI, Baxter International Inc.", ("hillrom", "eli", "baxter international")),
    ("ProPump and Controls, Inc.", ("propump and controls",)),
]


@pytest.mark.parametrize(("written", "name"), ONE)
def test_one_vendor_has_one_name(written: str, name: str) -> None:
    assert vendors.vendor_words(written) == name
    assert vendors.read(written) == vendors.Vendors((name,))


@pytest.mark.parametrize(("written", "names"), SEVERAL)
def test_several_vendors_in_one_string(written: str, names: tuple[str, ...]) -> None:
    assert vendors.read(written).names == names


@pytest.mark.parametrize("written", ["", "n/a", "multiple", "Multiple vendors", "GmbH", "unknown"])
def test_nobody_is_nobody(written: str) -> None:
    assert vendors.read(written) == vendors.Vendors((), "no vendor")


def test_a_name_with_and_may_be_one_or_two() -> None:
    found = vendors.read("Miller and Ampere, Inc.")
    assert found == vendors.Vendors((), "the string may name one vendor or two")


def test_a_damaged_part_is_left_out_and_said() -> None:
    found = vendors.read("PiiGAB, Processinformation i G\ufffdteborg Aktiebolag")
    assert found == vendors.Vendors(("piigab",), "a part of the vendor's name is damaged")


@given(
    st.text(alphabet="äöüßéãñçłş abc", min_size=1, max_size=20),
    st.sampled_from(["cp1252", "latin-1"]),
)
def test_utf8_read_as_something_else_is_repaired(text: str, wrong: str) -> None:
    try:
        broken = text.encode().decode(wrong)
    except UnicodeError:
        return
    assert vendors.repair(broken) == vendors.repair(text)


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    found = vendors.read(text)
    assert bool(found.names) or bool(found.reason)
    assert all(found.names)
