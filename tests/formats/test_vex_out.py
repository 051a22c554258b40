"""OpenVEX documents hold what the specification demands of a statement."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from tests.formats.drafts import drafts, ujson_correction

from vedette.formats import vex_out
from vedette.formats.advisory import AdvisoryDraft


def test_affected_and_fixed_products_are_named() -> None:
    affected, fixed = vex_out.render(ujson_correction())["statements"]
    assert affected["products"][0]["@id"] == "pkg:pypi/ujson@5.1.0"
    assert fixed["products"][0]["@id"] == "pkg:pypi/ujson@5.2.0"
    assert affected["action_statement"] == "Update to ujson 5.2.0 or later."


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(drafts())
def test_every_statement_is_complete(draft: AdvisoryDraft) -> None:
    doc = vex_out.render(draft)
    assert doc["@context"].startswith("https://openvex.dev/ns")
    assert doc["@id"].startswith(draft.publisher.namespace)
    for statement in doc["statements"]:
        ids = [product["@id"] for product in statement["products"]]
        assert ids
        assert len(ids) == len(set(ids))
        assert all(i.isascii() and " " not in i and ":" in i for i in ids)
        assert statement["status"] != "affected" or statement["action_statement"]
