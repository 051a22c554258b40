"""Records that bear one id: revisions of one, and those of several publishers."""

from __future__ import annotations

from itertools import permutations

import pytest
from tests.matching.build import inventory, osv

from vedette.formats import csaf_in, cve_in
from vedette.matching.building import build
from vedette.matching.engine import match
from vedette.matching.index import Index
from vedette.matching.model import Advisory, Component, Inventory, moment

pytestmark = pytest.mark.any_database


def revision(fixed: str, time: str, **more: str) -> Advisory:
    return osv("CVE-2026-1", "foo", [{"introduced": "0"}, {"fixed": fixed}], modified=time, **more)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("2026-03-01T00:00:00Z", "2026-03-01T00:00:00.5Z"),
        ("2026-03-01T01:00:00+02:00", "2026-03-01T00:00:00Z"),
        ("2026-03-01T00:00:00Z", "2026-02-28T23:30:00-01:00"),
        ("", "2026-03-01T00:00:00Z"),
    ],
)
def test_the_later_moment_counts_however_it_is_written(earlier: str, later: str) -> None:
    held = [inventory("pkg:pypi/foo@1.0")]
    old, new = revision("2.0", earlier), revision("0.5", later)
    for records in permutations((old, new)):
        assert not list(match(held, records))
        assert not list(match(held, Index(build(records), "index")))


def test_the_same_moment_is_one() -> None:
    assert moment("2026-03-01T01:00:00+02:00") == moment("2026-02-28T23:00:00Z")


def cve(time: str, below: str) -> Advisory:
    version = {"version": "0", "lessThan": below, "status": "affected", "versionType": "custom"}
    row = {"vendor": "Acme", "product": "Gizmo", "versions": [version]}
    meta = {"cveId": "CVE-2026-1", "state": "PUBLISHED", "dateUpdated": time}
    return cve_in.read({"cveMetadata": meta, "containers": {"cna": {"affected": [row]}}}, "x")


def csaf(publisher: str, time: str) -> Advisory:
    helper = {"product_identification_helper": {"purl": f"pkg:rpm/{publisher}/lib@1-1"}}
    product = {"product_id": "p", "name": "lib", **helper}
    tracking = {"id": "CVE-2026-1", "current_release_date": time}
    head = {"tracking": tracking, "publisher": {"namespace": f"https://{publisher}.example"}}
    status = {"cve": "CVE-2026-1", "product_status": {"known_affected": ["p"]}}
    tree = {"full_product_names": [product]}
    record = {"document": head, "product_tree": tree, "vulnerabilities": [status]}
    return csaf_in.read(record, "x")


def test_records_of_several_publishers_on_one_cve_all_count() -> None:
    records = [
        revision("2.0", "2026-05-01T00:00:00Z", aliases=["GHSA-1"]),  # type: ignore[arg-type]
        cve("2026-04-01T00:00:00Z", "2.0"),
        cve("2026-03-01T00:00:00Z", "9.0"),
        csaf("redhat", "2026-02-01T00:00:00Z"),
        csaf("suse", "2026-01-01T00:00:00Z"),
    ]
    gizmos = [Component(v, vendor="Acme", product="Gizmo", version=v) for v in ("1.5", "3.0")]
    purls = ["pkg:pypi/foo@1.0", "pkg:rpm/redhat/lib@1-1", "pkg:rpm/suse/lib@1-1"]
    packages = [Component(purl, purl=purl) for purl in purls]
    held = [Inventory("i", (*gizmos, *packages))]
    lines = list(match(held, records))
    assert [line.component for line in lines] == ["1.5", *purls]
    assert {line.advisory for line in lines} == {"CVE-2026-1"}
    assert {line.aliases for line in lines} == {("GHSA-1",)}
    assert list(match(held, records[::-1])) == lines
    assert list(match(held, Index(build(records), "index"))) == lines
    assert build(records) == build(records[::-1])


def test_a_withdrawn_record_silences_no_other() -> None:
    held = [Inventory("i", (Component("c", vendor="Acme", product="Gizmo", version="1"),))]
    gone = revision("2.0", "2027-01-01T00:00:00Z", withdrawn="2027-01-01T00:00:00Z")
    records = [gone, cve("2026-04-01T00:00:00Z", "2.0")]
    assert (
        len(list(match(held, records))) == len(list(match(held, Index(build(records), "i")))) == 1
    )
