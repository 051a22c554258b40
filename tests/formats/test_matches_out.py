"""What each writer owes its format, whatever the match holds."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.cli import main
from vedette.formats.matches_out import Beside, jsonl, sarif, vex
from vedette.matching.model import Match, Statement
from vedette.matching.vex import Suppressed

texts = st.text(max_size=12)  # half characters too, as names of files have them
several = st.lists(texts, max_size=3).map(tuple)
matches = st.builds(
    Match,
    *[texts] * 5,
    verdict=st.sampled_from(["affected", "unknown"]),
    confidence=st.sampled_from(["exact", "likely", "possible"]),
    reason=texts,
    purl=texts,
    aliases=several,
    fixed=several,
)


@given(st.lists(matches, max_size=3))
def test_a_line_is_what_a_json_writer_writes(rows: list[Match]) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert "".join(jsonl(rows, [], now)).splitlines(keepends=True) == [
        json.dumps(row.line(), separators=(",", ":")) + "\n" for row in rows
    ]


NOW = datetime(2026, 1, 1, tzinfo=UTC)
URI = re.compile(r"[a-z][a-z0-9+.-]*:(?:[A-Za-z0-9._~:/?#@!$&'()*+,;=-]|%[0-9A-F]{2})+")
REASONS = ("justification", "impact_statement")
statements = st.builds(
    Statement,
    status=st.sampled_from(["not_affected", "fixed"]),
    vulnerability=st.just(frozenset({"CVE-1"})),
    justification=st.sampled_from(["", "component_not_present", "code_not_present"]),
    words=st.sampled_from(["", "not built in"]),
)
taken = st.builds(Suppressed, matches, statements)


@settings(max_examples=40, deadline=None)
@given(st.lists(matches, max_size=3), st.lists(taken, max_size=3))
def test_openvex_keeps_the_rules_of_its_schema(rows: list[Match], gone: list[Suppressed]) -> None:
    document = json.loads("".join(vex([*rows, *rows], Beside(gone), NOW)))
    written = [json.dumps(one, sort_keys=True) for one in document["statements"]]
    assert len(set(written)) == len(written) <= len(rows) + len(gone)
    for one in document["statements"]:
        (product,) = one["products"]
        assert "identifiers" in product or URI.fullmatch(product["@id"])
        why = sum(name in one for name in REASONS)
        assert why == (one["status"] == "not_affected")
        assert ("action_statement" in one) == (one["status"] == "affected")


@settings(max_examples=40, deadline=None)
@given(st.lists(matches, max_size=3))
def test_sarif_names_files_by_uri(rows: list[Match]) -> None:
    document = json.loads("".join(sarif(rows, Beside(), NOW)))
    for result in document["runs"][0]["results"]:
        place = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert re.fullmatch("(?:[A-Za-z0-9._~/-]|%[0-9A-F]{2})*", place)
        assert (result["kind"] == "fail") == (result["level"] != "none")


@pytest.mark.parametrize("form", ["jsonl", "table", "csv", "sarif", "vex"])
def test_names_that_no_encoding_has_are_written_escaped(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = {
        "id": "A-1",
        "modified": "2026-01-01T00:00:00Z",
        "affected": [{"package": {"ecosystem": "PyPI", "name": "a"}, "versions": ["1"]}],
    }
    (tmp_path / "A-1.json").write_text(json.dumps(record))
    odd = tmp_path / "\udcff.csv"
    odd.write_text("purl;serial\npkg:pypi/a@1;ü\n")
    paths = ["--advisories", str(tmp_path / "A-1.json"), "--inventory", str(odd)]
    with pytest.raises(SystemExit) as stop:
        main(["match", *paths, "--format", form])
    out = capsys.readouterr().out
    assert stop.value.code == 0
    assert "A-1" in out
    if form in ("jsonl", "sarif", "vex"):
        json.loads(out)
