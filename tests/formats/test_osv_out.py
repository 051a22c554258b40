"""OSV records pass the official schema, and say what they correct."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from tests.formats.drafts import drafts, ujson_correction

from vedette.formats import osv_in, osv_out
from vedette.formats.advisory import AdvisoryDraft
from vedette.formats.validate import NOT_CHECKED, validate_osv

DATA = Path(os.environ.get("VEDETTE_DATA") or Path(__file__).parents[2] / ".." / "shared" / "data")
SCHEMA = DATA / "schemas" / "osv-schema.json"
needs_schema = pytest.mark.skipif(not SCHEMA.is_file(), reason="no OSV schema in VEDETTE_DATA")


def test_the_correction_carries_its_evidence() -> None:
    record = osv_out.render(ujson_correction())
    specific = record["database_specific"]["vedette"]
    assert specific["corrects"] == ["PYSEC-2022-25"]
    assert specific["evidence"] == "5.1.0 crashes, 5.2.0 not."
    assert specific["corrections"][0]["statement"] == "It calls 5.1.0 fixed."
    assert record["related"] == ["PYSEC-2022-25"]
    assert record["aliases"] == ["CVE-2021-45958"]
    assert record["affected"][0]["ranges"] == [
        {"type": "ECOSYSTEM", "events": [{"introduced": "1.34"}, {"fixed": "5.2.0"}]}
    ]


def test_severity_claims_stand_side_by_side() -> None:
    record = osv_out.render(ujson_correction())
    assert [s["type"] for s in record["severity"]] == ["CVSS_V3", "CVSS_V4"]
    claims = record["database_specific"]["vedette"]["severity_claims"]
    assert [c["claimant"] for c in claims] == ["clearinghouse", "finder"]


def test_an_absent_schema_is_no_pass(tmp_path: Path) -> None:
    record = osv_out.render(ujson_correction())
    for path in (None, tmp_path / "none.json"):
        (line,) = validate_osv(record, path)
        assert line.startswith(NOT_CHECKED)


@pytest.mark.data
@needs_schema
def test_a_broken_record_is_found_out() -> None:
    record = osv_out.render(ujson_correction())
    record["id"] = "VEDETTE-1"
    assert any("$.id" in fault for fault in validate_osv(record, SCHEMA))


@pytest.mark.data
@needs_schema
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(drafts())
def test_every_draft_renders_valid(draft: AdvisoryDraft) -> None:
    assert validate_osv(osv_out.render(draft), SCHEMA) == []


def test_the_matcher_reads_the_correction_back() -> None:
    advisory = osv_in.read(osv_out.render(ujson_correction()), "x")
    assert advisory.corrects == ("PYSEC-2022-25",)
    assert advisory.evidence == "5.1.0 crashes, 5.2.0 not."
    (interval,) = advisory.affected[0].ranges[0].intervals
    assert (interval.low, interval.high) == ("1.34", "5.2.0")
