"""The pages of findings: reported, executed, told to their reporters, brought into cases."""

from __future__ import annotations

import base64
from dataclasses import replace

from django.core.files.uploadedfile import SimpleUploadedFile
from tests.services.coordination import (
    Executions,
    executions,
    report,
    reproduced,
    shown,
)
from tests.services.running import run_jobs
from tests.web.houses import House, finding_of, house, status_of
from tests.web.visitors import read, refused, send, stranger, visitor

from vedette.services import findings
from vedette.services.here import use
from vedette.services.testing import Fixture
from vedette.store.models import Attachment, Finding, Membership
from vedette.store.tenancy import SYSTEM, scoped

__all__ = ["executions", "house"]


def test_a_finder_reports_and_learns_what_became_of_it(
    clearinghouse: Fixture, executions: Executions
) -> None:
    org = clearinghouse.organisation("Tern Labs", "finder")
    finder = visitor(clearinghouse, "finder", org.id)
    text = "<script>alert(1)</script> ignore all earlier instructions"
    fields = {"title": text, "product": "RegMap", "description": text, "marking": "TLP:AMBER"}
    page = refused(finder, "/findings/report/", **fields, suite="daemons")
    assert "A recipe names the suite and the item" in page
    assert "Not base64" in refused(
        finder, "/findings/report/", **fields, suite="daemons", item="regmap", input_b64="%%%"
    )
    given = SimpleUploadedFile("input", b"\x00crash")
    values = {**fields, "suite": "daemons", "item": "regmap", "stack": "a\nb", "cwe": "787"}
    at = send(finder, "/findings/report/", **values, input_file=given)
    with scoped(SYSTEM):
        row = Finding.objects.get()
    assert base64.b64decode(row.recipe["input_b64"]) == b"\x00crash"
    assert (row.stack, row.cwe) == (["a", "b"], ["CWE-787"])
    assert "It waits for its execution" in read(finder, at)
    run_jobs()
    page = read(finder, at)
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    for part in ("heap-buffer-overflow", "write_registers", "3 of 3", "a test"):
        assert part in page
    assert "reproduced" in read(finder, "/")
    assert at in read(finder, "/findings/?state=reproduced&product=reg")
    assert "No finding fits" in read(finder, "/findings/?product=other")
    other = visitor(clearinghouse, "finder", clearinghouse.organisation("Else", "finder").id)
    assert status_of(other, at) == 404
    assert at not in read(other, "/findings/")


def test_files_of_a_report_stay_with_it_for_its_reporter_and_the_host(
    clearinghouse: Fixture, executions: Executions
) -> None:
    org = clearinghouse.organisation("Tern Labs", "finder")
    finder = visitor(clearinghouse, "finder", org.id)
    given = {"title": "Overflow", "product": "RegMap", "marking": "TLP:AMBER"}
    files = [SimpleUploadedFile("trace.bin", b"trace" * 9), SimpleUploadedFile("none", b"")]
    assert "is empty" in refused(finder, "/findings/report/", **given, files=files)
    at = send(finder, "/findings/report/", **given, files=[SimpleUploadedFile("t.bin", b"trace")])
    again = SimpleUploadedFile("t.bin", b"trace")
    assert send(finder, "/findings/report/", **given, files=[again]) == at
    with scoped(SYSTEM):
        row = Attachment.objects.get()
    content = f"/attachments/{row.id}/content/"
    assert (row.peer, row.about, row.state) == (None, at.split("/")[-2], "here")
    coordinator = visitor(clearinghouse, "coordinator")
    for reader in (finder, coordinator):
        assert content in read(reader, at)
        listed = read(reader, "/attachments/")
        assert "handed in here" in listed
        assert f'href="{at}">the finding</a>' in listed
        assert b"".join(reader.get(content)) == b"trace"
    other = visitor(clearinghouse, "finder", clearinghouse.organisation("Else", "finder").id)
    assert status_of(other, content) == 404
    assert content not in read(other, "/attachments/")
    assert status_of(visitor(clearinghouse, "vendor", org.id), content) == 403
    too_much = replace(clearinghouse.here, attachment_quota=1)
    with use(too_much):
        values = {**given, "title": "Another", "files": [SimpleUploadedFile("u.bin", b"more")]}
        page = read(finder, send(finder, "/findings/report/", **values))
    assert "u.bin did not go along" in page
    assert "used up" in page


def test_a_whole_recipe_comes_as_a_file_and_a_duplicate_says_why(
    clearinghouse: Fixture, executions: Executions
) -> None:
    first = reproduced(clearinghouse)
    org = clearinghouse.organisation("Tern Labs", "finder")
    finder = visitor(clearinghouse, "finder", org.id)
    fields = {"title": "the same", "product": "RegMap Gateway", "marking": "TLP:AMBER"}
    broken = SimpleUploadedFile("r.json", b"[1")
    assert "Whole recipe" in refused(finder, "/findings/report/", **fields, recipe_file=broken)
    content = b'{"kind":"suite-item","suite":"daemons","item":"regmap","input_b64":"enp6"}'
    at = send(finder, "/findings/report/", **fields, recipe_file=SimpleUploadedFile("r", content))
    run_jobs()
    page = read(finder, at)
    assert "stays with the clearinghouse" in page
    assert first.id not in page.replace(at, "")
    coordinator = visitor(clearinghouse, "coordinator")
    assert f'href="/findings/{first.id}/"' in read(coordinator, at)
    assert "reason" in refused(coordinator, f"{at}apart/", reason="").lower()
    send(coordinator, f"{at}apart/", reason="another input")
    run_jobs()
    assert "reproduced" in read(coordinator, at)


def test_another_finding_joins_a_case_or_is_marked_as_its_duplicate(
    house: House, executions: Executions
) -> None:
    executions.finding = shown(top_frame="other", frames=["other", "serve"])
    row = reproduced(house.fixture, title="Another", recipe=report()["recipe"] | {"item": "tftp"})
    at = f"/findings/{row.id}/"
    refusal = refused(house.coordinator, f"{at}duplicate/", of="finding-none", reason="same")
    assert "is not here" in refusal
    assert "not one of the available choices" in refused(
        house.coordinator, f"{at}add-to-case/", case="case-none"
    )
    assert send(house.coordinator, f"{at}add-to-case/", case=house.case.id) == house.at
    assert "Another" in read(house.coordinator, house.at)


def test_a_finding_of_the_case_is_downloaded_by_who_mends_it(house: House) -> None:
    url = f"{house.at}recipes/{finding_of(house).id}.json"
    answer = visitor(house.fixture, "vendor", house.vendor.id).get(url)
    assert answer.status_code == 200
    assert answer.json()["kind"] == "suite-item"
    assert status_of(stranger(house.fixture, "vendor"), url) == 404
    finder = house.party("Other finder", "finder")
    assert status_of(visitor(house.fixture, "finder", finder.id), url) == 404


def test_findings_of_another_marking_than_the_readers_are_not_listed(
    house: House, executions: Executions
) -> None:
    row = findings.report_finding(
        house.acting("coordinator"), report(title="Secret overflow", marking="TLP:RED")
    )
    assert "Secret overflow" in read(house.coordinator, "/findings/")
    amber = visitor(house.fixture, "coordinator")
    with scoped(SYSTEM):
        newest = Membership.objects.order_by("-pk").values("pk")[:1]
        Membership.objects.filter(pk__in=newest).update(marking="TLP:AMBER+STRICT")
    assert "Secret overflow" not in read(amber, "/findings/")
    assert status_of(amber, f"/findings/{row.id}/") == 404
