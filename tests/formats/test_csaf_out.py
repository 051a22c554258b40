"""CSAF documents pass the official schema and the mandatory tests, whatever the draft."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from tests.formats.drafts import drafts, ujson_correction

from vedette.formats import csaf_out
from vedette.formats.advisory import AdvisoryDraft
from vedette.formats.validate import validate_csaf

pytest.importorskip("csaf")


def test_the_correction_says_what_it_corrects() -> None:
    doc = csaf_out.render(ujson_correction())
    assert validate_csaf(doc) == []
    notes = {n["title"]: n["text"] for n in doc["vulnerabilities"][0]["notes"]}
    assert "5.1.0 crashes" in notes["Corrects PYSEC-2022-25"]
    assert "Lab (finder): CVSS:4.0" in notes["Severity as each party judges it"]


def test_range_version_and_fix_are_told_apart() -> None:
    doc = csaf_out.render(ujson_correction())
    branches = doc["product_tree"]["branches"][0]["branches"][0]["branches"]
    assert [(b["category"], b["name"]) for b in branches] == [
        ("product_version_range", "vers:pypi/>=1.34|<5.2.0"),
        ("product_version", "5.1.0"),
        ("product_version", "5.2.0"),
    ]
    purls = [b["product"]["product_identification_helper"]["purl"] for b in branches]
    assert purls == ["pkg:pypi/ujson", "pkg:pypi/ujson@5.1.0", "pkg:pypi/ujson@5.2.0"]
    status = doc["vulnerabilities"][0]["product_status"]
    assert status["known_affected"] == ["CSAFPID-0001", "CSAFPID-0002"]
    assert status["fixed"] == ["CSAFPID-0003"]


def test_the_file_is_named_after_the_tracking_id() -> None:
    assert csaf_out.filename(ujson_correction()) == "x_vedette-7k2m9x4qwb3n8rtz.json"


def test_a_broken_document_is_found_out() -> None:
    doc = csaf_out.render(ujson_correction())
    doc["document"]["tracking"]["version"] = "2"
    assert any("6.1.16" in fault for fault in validate_csaf(doc))
    del doc["document"]["publisher"]
    assert any("publisher" in fault for fault in validate_csaf(doc))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(drafts())
def test_every_draft_renders_valid(draft: AdvisoryDraft) -> None:
    assert validate_csaf(csaf_out.render(draft)) == []
