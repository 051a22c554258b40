"""The index: what enters it, who is told, how it is served."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta

import pytest
from django.test import Client
from tests.services.advisories import CORRECTION, CVE, PUBLIC, osv, public_record, publish
from tests.services.advisories import publish_correction as correct

from vedette.exchange.envelope import open_envelope
from vedette.exchange.published_index import INDEX_TYPE
from vedette.kernel.canonical import digest
from vedette.kernel.errors import BadInput, Forbidden, NotFound
from vedette.kernel.permissions import Profile
from vedette.matching.index import Index
from vedette.services import index, sources
from vedette.services.testing import START, Fixture
from vedette.store.models import IndexBuild, LedgerEntry, SourceAdvisory
from vedette.store.tenancy import SYSTEM, scoped


def ids(house: Fixture) -> list[str]:
    row = index.build_index(house.person("coordinator"))
    return [a.id for a in Index(bytes(row.data), "index")]


def put(house: Fixture, data: bytes, source: str = "public") -> sources.Imported:
    return sources.import_advisories(house.person("coordinator"), data, source)


def test_a_broken_record_stops_no_other_and_is_kept(clearinghouse: Fixture) -> None:
    lines = b"\n".join(
        [public_record(), b'{"id": 7}', b"{not json", b'{"id": "X", "affected": []}']
    )
    result = put(clearinghouse, lines)
    assert (result.accepted, len(result.problems)) == (2, 2)
    assert [p["record"] for p in result.problems] == ["line 2", "line 3"]
    with scoped(SYSTEM):
        kept = SourceAdvisory.objects.exclude(problem="")
        assert {row.document for row in kept} == {'{"id": 7}', "{not json"}
    assert ids(clearinghouse) == [PUBLIC, "X"]


def test_importing_again_changes_nothing_and_a_revision_replaces(clearinghouse: Fixture) -> None:
    assert put(clearinghouse, public_record()).accepted == 1
    assert put(clearinghouse, public_record()).already_known == 1
    newer = json.dumps(osv(PUBLIC, "5.1.1", modified="2026-11-11T00:00:00Z")).encode()
    assert put(clearinghouse, newer).updated == 1
    with scoped(SYSTEM):
        assert SourceAdvisory.objects.get().document == newer.decode()


def test_lists_and_zips_are_read(clearinghouse: Fixture) -> None:
    records = [osv(f"PYSEC-{n}", "2.0") for n in range(3)]
    assert put(clearinghouse, json.dumps(records).encode(), "list").accepted == 3
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for record in records:
            archive.writestr(f"{record['id']}.json", json.dumps(record))
        archive.writestr("README.txt", "no record")
        archive.writestr("broken.json", "{")
    result = put(clearinghouse, file.getvalue(), "zip")
    assert (result.accepted, len(result.problems)) == (3, 1)
    with pytest.raises(BadInput, match="zip"):
        put(clearinghouse, file.getvalue()[:200], "zip")


def test_nothing_under_embargo_or_marked_enters(clearinghouse: Fixture) -> None:
    publish(clearinghouse, osv("x_vedette-open", "2.0"))
    publish(clearinghouse, osv("x_vedette-hidden", "2.0"), public=False)
    publish(clearinghouse, osv("x_vedette-amber", "2.0"), marking="TLP:AMBER")
    publish(clearinghouse, osv("x_vedette-later", "2.0"), at=START + timedelta(days=1))
    assert ids(clearinghouse) == ["x_vedette-open"]
    clearinghouse.clock.time += timedelta(days=1)
    assert ids(clearinghouse) == ["x_vedette-later", "x_vedette-open"]


def test_a_correction_carries_its_evidence_and_the_facts(clearinghouse: Fixture) -> None:
    correct(clearinghouse, priority={"kev": True, "automatable": False, "impact": "total"})
    row = index.build_index(clearinghouse.person("coordinator"))
    (record,) = Index(bytes(row.data), "index")
    assert record.corrects == (PUBLIC,)
    assert record.facts == ("kev=yes", "automatable=no", "impact=total")
    assert record.aliases == (CVE,)


def test_operators_are_told_once_of_each_new_index(clearinghouse: Fixture) -> None:
    home = clearinghouse.peer("Home", Profile.OPERATOR)
    clearinghouse.peer("Lab", Profile.LAB)
    put(clearinghouse, public_record())
    person = clearinghouse.person("coordinator")
    first = index.build_index(person)
    assert index.build_index(person).id == first.id
    (message,) = home.received("index.published")
    assert message.body["digest"] == first.digest
    assert message.marking == "TLP:CLEAR"
    correct(clearinghouse)
    second = index.build_index(person)
    assert second.digest != first.digest
    assert len(home.received("index.published")) == 2
    with scoped(SYSTEM):
        assert IndexBuild.objects.get(current=True).id == second.id
        built = LedgerEntry.objects.filter(event="index:index:built")
        assert [e.object_id for e in built.order_by("seq")] == [first.id, second.id]


def test_only_a_clearinghouse_builds(operator: Fixture) -> None:
    with pytest.raises(NotFound):
        index.build_index(operator.person("administrator"))


def test_a_hosted_organisation_builds_nothing(clearinghouse: Fixture) -> None:
    org = clearinghouse.organisation("Utility", "operator")
    with pytest.raises(NotFound):
        index.build_index(clearinghouse.person("administrator", org.id))
    with pytest.raises(NotFound):
        sources.import_advisories(clearinghouse.person("operator", org.id), b"{}", "x")
    with pytest.raises(Forbidden):
        index.build_index(clearinghouse.person("auditor"))


def test_the_index_is_served_signed_and_unchanging(clearinghouse: Fixture, client: Client) -> None:
    assert client.get("/index/v1/latest").status_code == 404
    put(clearinghouse, public_record())
    row = index.build_index(clearinghouse.person("coordinator"))
    answer = client.get("/index/v1/latest")
    opened = open_envelope(answer.content, INDEX_TYPE)
    assert opened.verify(clearinghouse.here.keys.public)
    statement = json.loads(opened.payload)
    assert (statement["digest"], statement["advisories"]) == (row.digest, 1)
    served = client.get(f"/index/v1/{row.digest}")
    assert digest(served.content) == row.digest
    assert "immutable" in served["Cache-Control"]
    again = client.get(f"/index/v1/{row.digest}", headers={"If-None-Match": served["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    missing = client.get("/index/v1/sha256:" + "0" * 64)
    assert missing.status_code == 404
    assert missing["Content-Type"] == "application/problem+json"
    assert client.post("/index/v1/latest").status_code == 405


def test_old_indexes_lose_their_bytes_and_keep_their_digest(clearinghouse: Fixture) -> None:
    for number in range(index.KEPT_BUILDS + 3):
        publish(clearinghouse, osv(CORRECTION, f"2.{number}"))
        clearinghouse.clock.time += timedelta(hours=1)
        index.build_index(clearinghouse.person("coordinator"))
    with scoped(SYSTEM):
        rows = list(IndexBuild.objects.order_by("built_at"))
    assert [bool(row.data) for row in rows] == [False, False] + [True] * (index.KEPT_BUILDS + 1)
    assert all(row.digest for row in rows)


def test_the_kev_catalogue_says_what_is_listed(clearinghouse: Fixture) -> None:
    person = clearinghouse.person("coordinator")
    put(clearinghouse, public_record())
    publish(clearinghouse, osv("x_vedette-stated", "2.0"), priority={"kev": True})
    publish(clearinghouse, osv("x_vedette-other", "2.0"), priority={"impact": "partial"})
    catalogue = {"vulnerabilities": [{"cveID": CVE}, {"cveID": "CVE-2020-0001"}]}
    assert sources.import_kev(person, json.dumps(catalogue).encode()) == 2
    row = index.build_index(person)
    facts = {a.id: a.facts for a in Index(bytes(row.data), "index")}
    assert facts == {
        PUBLIC: ("kev=yes",),
        "x_vedette-other": ("kev=no", "impact=partial"),
        "x_vedette-stated": ("kev=yes",),
    }
    for broken in (b"[]", b'{"vulnerabilities": [{"cveID": "x"}]}', b'{"vulnerabilities": []}'):
        with pytest.raises(BadInput, match="catalogue"):
            sources.import_kev(person, broken)
    assert index.build_index(person).id == row.id
