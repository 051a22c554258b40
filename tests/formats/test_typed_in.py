"""A typed list: entries, versions, readings; and which known products were meant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.cli import main
from vedette.formats import typed_in
from vedette.formats.detect import read_inventory
from vedette.kernel.errors import BadInput
from vedette.matching.candidates import Known
from vedette.matching.engine import match
from vedette.matching.model import Advisory, Affected
from vedette.matching.ranges import EVERY, Range
from vedette.matching.versions import words


@pytest.mark.parametrize(
    ("text", "name", "version", "sure"),
    [
        ("Modicon M340", "Modicon M340", "", True),
        ("Ignition 8.1", "Ignition", "8.1", True),
        ("Windows 10", "Windows", "10", False),
        ("S7-1200 V4", "S7-1200", "4", True),
        ("SIMATIC S7-1500 v2.9.2 SP1", "SIMATIC S7-1500", "2.9.2 SP1", True),
        ("WinCC version 7", "WinCC", "7", True),
        ("X204 firmware v5.2", "X204", "5.2", True),
        ("ujson==5.1.0", "ujson", "5.1.0", True),
        ("left-pad@1", "left-pad", "1", True),
        ("6GK5204-2BC10-2CA2", "6GK5204-2BC10-2CA2", "", True),
        ("- openssl: 3.0.2", "openssl", "3.0.2", True),
        ("2) RTU560", "RTU560", "", True),
    ],
)
def test_a_version_stands_at_the_end(text: str, name: str, version: str, sure: bool) -> None:
    (entry,) = typed_in.entries(text)
    assert (entry.name, entry.version, entry.sure) == (name, version, sure)


@pytest.mark.parametrize("separator", [", ", "\n", ";", ",", "\r\n\r\n"])
def test_lines_commas_and_semicolons(separator: str) -> None:
    text = separator.join(["Modicon M340", "Ignition 8.1", "Windows 10"])
    assert [entry.text for entry in typed_in.entries(text)] == [
        "Modicon M340", "Ignition 8.1", "Windows 10"
    ]  # fmt: skip
    inventory = read_inventory(text.encode(), "list.txt")
    assert {c.id for c in inventory.components} == {"row:1", "row:2", "row:3"}
    assert inventory.notes[0].startswith("read as a typed list of 3 products")
    assert "Windows 10" in inventory.notes[1]


def advisory(vendor: str, product: str, versions: str = "*", name: str = "ICS-1") -> Advisory:
    ranges = (words.parse(versions),) if versions != "*" else (Range("generic", (EVERY,)),)
    affected = Affected(vendor=vendor, product=product, scheme="generic", ranges=ranges)
    return Advisory(name, affected=(affected,))


@pytest.mark.parametrize(
    ("typed", "vendor", "product", "verdict"),
    [
        ("Modicon M340 V3.1", "Schneider Electric", "Modicon M340", "affected"),
        ("Modicon M340", "Schneider Electric", "Modicon M340", "unknown"),
        ("Schneider Electric Modicon M340 3.1", "Schneider Electric", "Modicon M340", "affected"),
        ("Acme Windows 10", "Acme", "Windows 10", "unknown"),
    ],
)
def test_words_match_and_never_exactly(typed: str, vendor: str, product: str, verdict: str) -> None:
    inventory = read_inventory(typed.encode(), "list.txt")
    (line,) = match([inventory], [advisory(vendor, product, "< 4")])
    assert (line.component, line.verdict) == ("row:1", verdict)
    sure = typed.startswith("Schneider")
    assert line.confidence == ("likely" if sure else "possible")


def test_a_number_that_may_be_a_name_is_no_silent_no() -> None:
    inventory = read_inventory(b"Acme S7 1500", "list.txt")
    (line,) = match([inventory], [advisory("Acme", "S7 1500", "< 2.9")])
    assert (line.verdict, line.confidence) == ("unknown", "possible")


@pytest.mark.parametrize(
    "text", ["Siemens,S7-1500,2.9\nSiemens,S7-1200,4.1\n", "colour,shape\nred,round\n", "..."]
)
def test_a_table_without_a_header_is_no_typed_list(text: str) -> None:
    with pytest.raises(BadInput, match="no column for a product"):
        read_inventory(text.encode(), "plant")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SPDXVersion: SPDX-2.3\nPackageName: a\nPackageVersion: 1.0\n", "export it as JSON"),
        ("bomFormat: CycloneDX\ncomponents:\n- name: a\n  version: 1\n", "export it as JSON"),
        ("Name   : openssl\nVersion: 3.0.7\nRelease: 27.el9\n", "no column for a product"),
    ],
)
def test_keys_and_values_are_no_typed_list(text: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        read_inventory(text.encode(), "plant")


def test_bounds_are_plain() -> None:
    with pytest.raises(BadInput, match="more than 200 characters"):
        typed_in.entries("x" * 201)
    with pytest.raises(BadInput, match="at most 5,000"):
        typed_in.entries("a1\n" * 5001)


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    for entry in typed_in.entries(text.replace("\x00", "")):
        assert entry.name
        assert entry.text.endswith(entry.version)


def test_candidates_come_best_first_and_by_their_words() -> None:
    known = Known(
        [
            advisory("Schneider Electric", "Modicon M340", name="1"),
            advisory("Schneider Electric", "MODICON M340", name="2"),
            advisory("Schneider Electric", "Modicon M580", name="3"),
            advisory("Inductive Automation", "Inductive Automation Ignition", name="4"),
            advisory("Siemens", "SIMATIC S7-1500", name="5"),
            Advisory("6", affected=(Affected(ecosystem="PyPI", name="ujson"),)),
        ]
    )
    first, second = known.candidates("modicon M340")
    assert (first.product, first.advisories, first.score) == ("Modicon M340", 2, 1.0)
    assert second.product == "Modicon M580"
    assert second.score < first.score
    assert known.candidates("schneider m580")[0].product == "Modicon M580"
    assert known.candidates("Ignition")[0].score == 1.0
    (package,) = known.candidates("ujson")
    assert (package.vendor, package.product, package.purl) == ("PyPI", "ujson", "pkg:pypi/ujson")
    assert known.candidates("something else") == []
    assert len(known.candidates("modicon M340", 1)) == 1


CSAF = {
    "document": {"tracking": {"id": "ICS-1"}},
    "product_tree": {
        "branches": [
            {
                "category": "vendor",
                "name": "Schneider Electric",
                "branches": [
                    {
                        "category": "product_name",
                        "name": "Modicon M340",
                        "product": {"product_id": "P", "name": "Modicon M340"},
                    }
                ],
            }
        ]
    },
    "vulnerabilities": [{"cve": "CVE-2026-1", "product_status": {"known_affected": ["P"]}}],
}


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.json"
    file.write_text(json.dumps(CSAF))
    args = ["inventory", "candidates", "Modicon M340 V3, Ignition 8.1", "--advisories", str(file)]
    with pytest.raises(SystemExit) as stop:
        main([*args, "--json"])
    assert stop.value.code == 0
    first, second = json.loads(capsys.readouterr().out)
    assert (first["entry"], first["name"], first["version"]) == (
        "Modicon M340 V3",
        "Modicon M340",
        "3",
    )
    assert first["candidates"] == [
        {
            "vendor": "Schneider Electric",
            "product": "Modicon M340",
            "purl": "",
            "score": 1.0,
            "advisories": 1,
        }
    ]
    assert second["candidates"] == []
    with pytest.raises(SystemExit):
        main(args)
    shown = capsys.readouterr().out.splitlines()
    assert shown[1:] == [
        "  1.00  Schneider Electric  Modicon M340  (1 advisory)",
        "Ignition 8.1: nothing like it is known",
    ]
    with pytest.raises(SystemExit) as stop:
        main(["inventory", "candidates", "...", "--advisories", str(file)])
    assert stop.value.code == 2


def test_a_number_that_may_be_part_of_the_name_is_looked_for_in_names() -> None:
    known = Known(
        [
            advisory("Microsoft", "Windows"),
            advisory("Microsoft", "Windows 10 Version 22H2", name="ICS-2"),
        ]
    )
    (unsure,) = typed_in.entries("Windows 10")
    assert unsure.readings == ("Windows 10", "Windows")
    found = [one.product for one in known.meant(unsure.readings)]
    assert found == ["Windows 10 Version 22H2", "Windows"]
    (sure,) = typed_in.entries("Windows v10")
    assert known.meant(sure.readings)[0].product == "Windows"


def test_names_that_were_garbled_are_shown_repaired() -> None:
    known = Known([advisory("Geutebr\u00c3\u00bcck", "G-Cam")])
    assert known.candidates("G-Cam")[0].vendor == "Geutebrück"
