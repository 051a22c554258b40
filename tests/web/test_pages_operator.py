"""The operator's pages: inbox, notice, inventories, index; on its own instance and hosted."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.services.advisories import (
    CORRECTION,
    PUBLIC,
    osv,
    sbom,
)
from tests.services.operators import FIXED, OLD, build
from tests.services.running import run_jobs
from tests.web.lakes import client, house, org
from tests.web.visitors import read, refused, send, stranger, visitor

from vedette.kernel.permissions import Profile
from vedette.matching.building import build as built
from vedette.services import index, notices, pulls, sources
from vedette.services.acting import act, instance_actor
from vedette.services.pulls import RefusedIndex, Unreachable
from vedette.services.testing import Fixture
from vedette.store.models import Notice, Peer
from vedette.store.tenancy import SYSTEM, scoped

__all__ = ["client", "house", "org"]


def take(client: Client, *purls: str, name: str = "plant", exposed: str = "on") -> str:
    file = SimpleUploadedFile("plant.cdx.json", sbom(*purls))
    at = send(client, "/inventories/take/", name=name, file=file, exposed=exposed)
    run_jobs()
    return at


def only() -> Notice:
    with scoped(SYSTEM):
        row: Notice = Notice.objects.get()
    return row


def test_an_empty_instance_names_the_next_act(operator: Fixture) -> None:
    client = visitor(operator, "operator")
    for url in ("/", "/notices/"):
        assert 'href="/inventories/take/"' in read(client, url)
    page = read(client, "/inventories/")
    assert "stay here, on your own instance" in page
    assert "vedette exchange peer add" in page
    assert "Pull now" not in page
    assert 'href="/cases/"' not in page


def test_the_inbox_says_what_to_do_first_and_why(client: Client) -> None:
    take(client, OLD)
    row = only()
    for url in ("/", "/notices/"):
        page = read(client, url)
        for part in (CORRECTION, "n/y/y/partial", "14 days left", "ujson 5.1.0", "5.2.0", "plant"):
            assert part in page, (url, part)
        assert "corrected record" in page
        assert "confidence exact" in page
    page = read(client, f"/notices/{row.id}/")
    assert f"{PUBLIC} alone says that ujson 5.1.0 is not affected" in page
    assert "What matched, and why" in page
    assert f"/advisories/{CORRECTION}/" in page
    assert "No notice fits" in read(client, "/notices/?text=other")
    assert row.id in read(client, "/notices/?text=UJSON&inventory=plant&show=unanswered")
    assert row.id not in read(client, "/notices/?show=verified")


PAGES = ("/notices/", "/inventories/", "/notices/{notice}/", "/inventories/{inventory}/")


@pytest.mark.parametrize("page", PAGES)
def test_access(house: Fixture, client: Client, org: str, page: str) -> None:
    take(client, OLD)
    row = only()
    url = page.format(notice=row.id, inventory=row.inventory_id)
    read(client, url)
    read(visitor(house, "reader", org), url)
    assert visitor(house, "vendor", org).get(url).status_code == 403
    assert Client().get(url).headers["Location"].startswith("/accounts/login/")
    for other in (stranger(house, "operator"), visitor(house, "coordinator")):
        if "{" in page:
            assert other.get(url).status_code == 404
        else:
            assert row.id not in read(other, url)
            assert "plant" not in read(other, url)


def test_a_reader_changes_nothing(house: Fixture, client: Client, org: str) -> None:
    take(client, OLD)
    row = only()
    reader, other = visitor(house, "reader", org), stranger(house, "operator")
    answer = {"state": "patched", "notice": row.id}
    for url in (f"/notices/{row.id}/", f"/notices/{row.id}/verify/", "/notices/answer/"):
        assert reader.post(url, answer).status_code == 403
    for url in (f"/notices/{row.id}/", f"/notices/{row.id}/verify/"):
        assert other.post(url, answer).status_code == 404
    assert other.post("/notices/answer/", answer).status_code == 404
    assert reader.get("/inventories/take/").status_code == 403
    assert client.get("/notices/answer/").status_code == 405
    safe = Client(enforce_csrf_checks=True)
    safe.cookies = client.cookies
    assert safe.post(f"/notices/{row.id}/", answer).status_code == 403
    assert only().state == "unanswered"
    page = read(reader, f"/notices/{row.id}/")
    assert 'name="state"' not in page


def test_a_patch_is_answered_then_verified_by_a_new_inventory(client: Client) -> None:
    take(client, OLD)
    at = f"/notices/{only().id}/"
    send(client, at, state="patched")
    send(client, f"{at}verify/")
    page = read(client, at)
    assert "Not verified: the newest inventory still holds what was found" in page
    take(client, FIXED)
    assert only().state == "verified"
    page = read(client, at)
    assert "patched and verified" in page
    assert "Nothing more" in page
    assert "days left" not in page
    assert "Nothing is open" in read(client, "/")


def test_a_deferral_needs_its_control_and_a_day_to_come(house: Fixture, client: Client) -> None:
    take(client, OLD)
    at = f"/notices/{only().id}/"
    assert "compensating control" in refused(client, at, state="deferred", expires="2027-01-01")
    control = "Behind a data diode."
    page = refused(client, at, state="deferred", control=control, expires="2020-01-01")
    assert "is not in the future" in page
    assert control in page, "what was written is kept in the form"
    send(client, at, state="deferred", control=control, expires="2027-01-01")
    page = read(client, at)
    assert control in page
    assert "1 Jan 2027, 23:59 UTC" in page
    send(client, at, state="unanswered")
    assert only().state == "unanswered"
    house.clock.time += timedelta(days=60)
    assert "46 days late" in read(client, "/notices/")


def test_several_notices_take_one_answer(house: Fixture, client: Client) -> None:
    records = [osv(f"PYSEC-2099-{n}", "9.0.0", package=f"pkg{n}") for n in range(30)]
    sources.import_advisories(house.person("coordinator"), json.dumps(records).encode(), "more")
    build(house)
    take(client, OLD, *[f"pkg:pypi/pkg{n}@1.0.0" for n in range(30)])
    with scoped(SYSTEM):
        ids = list(Notice.objects.order_by("rank").values_list("id", flat=True))
    assert "Page </span>2" in read(client, "/notices/")
    assert "Choose the notices" in refused(client, "/notices/answer/", state="not-affected")
    page = refused(client, "/notices/answer/", notice=ids[:3], state="deferred")
    assert "compensating control" in page
    assert "Nothing was answered" in page
    assert page.count(" checked") == 3, "what was chosen is still chosen"
    send(client, "/notices/answer/", notice=ids[:10], state="not-affected")
    assert "10 answered" in read(client, "/notices/")
    rows = list(csv.DictReader(io.StringIO(read(client, "/notices/export/?show=not-affected"))))
    assert {row["notice"] for row in rows} == set(ids[:10])
    kept = json.loads(read(client, "/notices/export/?format=json&show=all"))
    assert {each["id"] for each in kept} == set(ids)
    assert stranger(house, "operator").get("/notices/export/").content.count(b"\n") == 1
    with scoped(SYSTEM):
        assert Notice.objects.filter(state="not-affected").count() == 10


def test_one_answer_to_all_that_a_filter_shows_is_undone(
    house: Fixture, client: Client, org: str
) -> None:
    records = [osv(f"PYSEC-2099-{n}", "9.0.0", package=f"pkg{n}") for n in range(30)]
    sources.import_advisories(house.person("coordinator"), json.dumps(records).encode(), "more")
    build(house)
    take(client, OLD, *[f"pkg:pypi/pkg{n}@1.0.0" for n in range(30)])
    shown = "row=n%2Fy%2Fy%2Ftotal&verdict=affected&confidence=exact"
    assert "All 30 that the filter shows" in read(client, f"/notices/?{shown}")
    at = send(client, f"/notices/answer/?{shown}", every="1", state="not-affected")
    assert at.startswith(f"/notices/?{shown}&batch=batch-")
    page = read(client, at)
    assert "30 answered." in page
    assert "Undo: 30 as before" in page
    batch = at.rpartition("=")[2]
    assert "Undo" not in read(visitor(house, "reader", org), at)
    elsewhere = stranger(house, "operator")
    assert "Undo" not in read(elsewhere, f"/notices/?batch={batch}")
    with scoped(SYSTEM):
        assert Notice.objects.filter(state="not-affected").count() == 30
    assert visitor(house, "reader", org).post("/notices/undo/", {"batch": batch}).status_code == 403
    assert elsewhere.post("/notices/undo/", {"batch": batch}).status_code == 404
    assert client.get("/notices/undo/").status_code == 405
    back = send(client, f"/notices/undo/?{shown}&batch={batch}", batch=batch)
    assert back == f"/notices/?{shown}"
    assert "30 as they were before." in read(client, back)
    with scoped(SYSTEM):
        assert Notice.objects.filter(state="unanswered").count() == 31


def test_the_inbox_takes_no_more_queries_for_more_notices(house: Fixture, client: Client) -> None:
    def count(url: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            read(client, url)
        return len(queries)

    take(client, OLD)
    before = {url: count(url) for url in ("/", "/notices/", "/inventories/")}
    records = [osv(f"PYSEC-2099-{n}", "9.0.0", package=f"pkg{n}") for n in range(30)]
    sources.import_advisories(house.person("coordinator"), json.dumps(records).encode(), "more")
    build(house)
    take(client, OLD, *[f"pkg:pypi/pkg{n}@1.0.0" for n in range(30)])
    assert {url: count(url) for url in before} == before
    assert max(before.values()) < 40


def test_an_inventory_that_cannot_be_read_is_said_at_the_form(client: Client) -> None:
    file = SimpleUploadedFile("x.json", b"{")
    page = refused(client, "/inventories/take/", name="plant", file=file)
    assert "The inventory as it was" in page or "Kept: the inventory as it was" in page
    assert "0 components" not in page


def test_an_inventory_page_lists_what_could_not_be_read(client: Client) -> None:
    file = SimpleUploadedFile("a.csv", b"product,version\nujson,5.1.0\n,\n")
    at = send(client, "/inventories/take/", name="assets", file=file)
    page = read(client, at)
    assert "What could not be read" in page
    assert "kept on this instance" in page.lower() or "on this instance" in page
    assert "the clearinghouse reads your answers, never what you run" in read(
        client, "/inventories/"
    )


def test_the_coordinator_sees_answers_and_silence_not_what_is_run(
    house: Fixture, client: Client
) -> None:
    house.organisation("Quiet Power", "operator")
    take(client, OLD, name="secret plant")
    send(client, f"/notices/{only().id}/", state="patched")
    coordinator = visitor(house, "coordinator")
    page = read(coordinator, f"/advisories/{CORRECTION}/")
    assert "Lake Water" in page
    assert "patched, not verified" in page
    assert "silent: no answer" in page
    assert page.index("Quiet Power") < page.index("Lake Water")
    assert "secret plant" not in page
    assert "Operators concerned that have the fix" in page
    assert "1 of 2" in page
    assert "Lake Water" not in read(Client(), f"/advisories/{CORRECTION}/")
    assert (
        "Lake Water"
        not in read(client, f"/advisories/{CORRECTION}/")
        .replace("Lake Water</span>", "")
        .split("<main")[1]
        .split("</main>")[0]
    )


@pytest.mark.parametrize("error", [Unreachable("no route"), RefusedIndex("its digest differs")])
def test_a_pull_that_fails_is_said_and_keeps_the_index(
    operator: Fixture, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    operator.peer("Harbor", Profile.CLEARINGHOUSE)

    def fails(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(pulls, "pull_index", fails)
    client = visitor(operator, "operator")
    assert "Pull now" in read(client, "/inventories/")
    send(client, "/inventories/pull/")
    assert str(error).capitalize() in read(client, "/inventories/")
    assert visitor(operator, "reader").post("/inventories/pull/").status_code == 403


def test_a_deferral_that_ends_is_open_again(house: Fixture, client: Client) -> None:
    take(client, OLD)
    row = only()
    at = f"/notices/{row.id}/"
    send(client, at, state="deferred", control="A data diode.", expires="2027-01-01")
    house.clock.time += timedelta(days=60)
    notices.expire_deferral(row.id)
    assert "The deferral is over" in read(client, at)


def test_every_index_that_is_matched_with_is_said(operator: Fixture) -> None:
    operator.peer("Harbor", Profile.CLEARINGHOUSE)
    with act(instance_actor(), None) as doing:
        harbor = Peer.objects.get(name="Harbor")
        index.keep(doing, built([]), harbor, 0, doing.now - timedelta(days=1))
        index.keep(doing, built([]), None, 0, doing.now)
    page = read(visitor(operator, "operator"), "/inventories/")
    assert "Matched with as well" in page
    assert "Harbor: 0 advisories, built 3" in page


def test_several_files_at_once_are_inventories_of_their_own(client: Client) -> None:
    def files(*names: str) -> list[SimpleUploadedFile]:
        return [SimpleUploadedFile(f"{name}.cdx.json", sbom(OLD)) for name in names]

    broken = SimpleUploadedFile("east.json", b"{")
    send(client, "/inventories/take/", file=[*files("north", "south"), broken])
    page = read(client, "/inventories/")
    assert all(part in page for part in (">north<", ">south<", "2 inventories: "))
    assert "east.json is not taken. Inventory east: not JSON" in page
    send(client, "/inventories/take/", file=files("north"), name="")
    send(client, "/inventories/take/", file=files("north", "south"), name="Plant")
    page = read(client, "/inventories/")
    assert "Plant: south" in page
    assert page.count(">north<") == 1, "the same file again is the same taking"
    assert "required" in refused(client, "/inventories/take/", name="plant")


def test_the_columns_of_a_list_are_shown_and_can_be_read_otherwise(client: Client) -> None:
    file = SimpleUploadedFile(
        "a.csv", "Gerät;Paket;Stand;Raum\npump;pkg:pypi/ujson;5.1.0;4\n".encode()
    )
    at = send(client, "/inventories/take/", name="assets", file=file)
    page = read(client, at)
    for part in ("How its columns are read", "Stand", "Not used: Raum", f"{at}columns/"):
        assert part in page, part
    form = read(client, f"{at}columns/")
    assert '<option value="Ger\u00e4t" selected' in form
    chosen = {"purl": "Paket", "version": "Stand", "zone": "Raum"}
    at = send(client, f"{at}columns/", **chosen)
    page = read(client, at)
    assert "Not used: unused: Gerät" in page
    run_jobs()
    assert only().matches[0]["version"] == "5.1.0"
    assert "for a product" in refused(client, f"{at}columns/", zone="zone")
    sbom_at = take(client, OLD)
    assert client.get(f"{sbom_at}columns/").status_code == 404
    assert client.get("/inventories/inv-none/columns/").status_code == 404


def test_who_reads_columns_otherwise(house: Fixture, org: str, client: Client) -> None:
    file = SimpleUploadedFile("a.csv", b"product,version\npump,1.0\n")
    at = f"{send(client, '/inventories/take/', name='assets', file=file)}columns/"
    assert visitor(house, "reader", org).get(at).status_code == 403
    assert visitor(house, "vendor", org).post(at, {"product": "product"}).status_code == 403
    other = str(house.organisation("Hill Water", "operator").id)
    assert visitor(house, "operator", other).get(at).status_code == 404
    assert Client().get(at).headers["Location"].startswith("/accounts/login/")
    assert client.put(at).status_code == 405
