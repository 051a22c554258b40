"""Ids of public records lead to where they are published, and nothing else does."""

from __future__ import annotations

import pytest

from vedette.web.cells import Link
from vedette.web.pages.published import record


@pytest.mark.parametrize(
    ("identifier", "place"),
    [
        ("CVE-2021-45958", "https://www.cve.org/CVERecord?id=CVE-2021-45958"),
        ("GHSA-wpqr-jcpx-745r", "https://github.com/advisories/GHSA-wpqr-jcpx-745r"),
        ("PYSEC-2022-25", "https://osv.dev/vulnerability/PYSEC-2022-25"),
        ("ICSA-21-194-02", "https://www.cisa.gov/news-events/ics-advisories/icsa-21-194-02"),
    ],
)
def test_a_record_is_found_where_it_is_published(identifier: str, place: str) -> None:
    assert record(identifier) == Link(identifier, place)


@pytest.mark.parametrize(
    "identifier",
    [
        "",
        "x_vedette-7k2m9x4qwb3n8rtz",
        "CVE-2021-45958?x=1",
        "javascript:CVE-2021-1",
        "CVE-2021-1\n",
    ],
)
def test_any_other_id_leads_nowhere(identifier: str) -> None:
    assert record(identifier) == identifier
