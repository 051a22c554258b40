"""VEX in the portal and over the API: handed in, shown with its reason, lifted, withdrawn."""

from __future__ import annotations

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.services.advisories import CORRECTION
from tests.services.operators import OLD
from tests.services.running import run_jobs
from tests.services.test_vex import openvex
from tests.web import test_api_notices as api
from tests.web.test_pages_operator import client, house, org, take
from tests.web.visitors import read, refused, send, stranger, visitor

from vedette.services.testing import Fixture
from vedette.store.models import Suppression, VexDocument
from vedette.store.tenancy import SYSTEM, scoped

__all__ = ["client", "house", "org"]


def hand_in(client: Client) -> str:
    file = SimpleUploadedFile("lake.json", openvex())
    at = send(client, "/vex/take/", name="lake", file=file)
    run_jobs()
    return at


def ids() -> tuple[str, str]:
    """The one document, and the suppressed match with the correction."""
    with scoped(SYSTEM):
        return VexDocument.objects.get().id, Suppression.objects.get(advisory=CORRECTION).id


def test_a_document_suppresses_and_nothing_vanishes(client: Client) -> None:
    take(client, OLD)
    assert "VEX takes no match away" in read(client, "/vex/")
    assert hand_in(client) == "/vex/"
    page = read(client, "/vex/")
    for part in ("1 statements are kept", CORRECTION, OLD, "not affected", "We never decode."):
        assert part in page, part
    assert "suppressed by VEX" in read(client, "/notices/")
    document, suppressed = ids()
    send(client, f"/vex/suppressed/{suppressed}/lift/")
    run_jobs()
    assert "lifted: found again" in read(client, "/vex/")
    assert "ujson 5.1.0" in read(client, "/notices/")
    send(client, f"/vex/suppressed/{suppressed}/honour/")
    send(client, f"/vex/{document}/withdraw/")
    run_jobs()
    page = read(client, "/vex/")
    assert "VEX takes no match away" in page
    assert "counts no more" in page
    wrong = SimpleUploadedFile("x.json", b"{}")
    assert "states nothing, or is no VEX" in refused(client, "/vex/take/", name="x", file=wrong)


def test_others_read_and_change_nothing(house: Fixture, client: Client, org: str) -> None:
    take(client, OLD)
    hand_in(client)
    document, suppressed = ids()
    reader, elsewhere = visitor(house, "reader", org), stranger(house, "operator")
    page = read(reader, "/vex/")
    assert CORRECTION in page
    assert "Withdraw" not in page
    assert reader.get("/vex/take/").status_code == 403
    assert visitor(house, "vendor", org).get("/vex/").status_code == 403
    for other in (elsewhere, visitor(house, "coordinator")):
        assert OLD not in read(other, "/vex/")
    for url in (
        f"/vex/{document}/withdraw/",
        f"/vex/suppressed/{suppressed}/lift/",
        f"/vex/suppressed/{suppressed}/honour/",
    ):
        assert reader.post(url).status_code == 403
        assert elsewhere.post(url).status_code == 404
        assert client.get(url).status_code == 405
        assert Client().post(url).headers["Location"].startswith("/accounts/login/")


def test_vex_over_the_api(house: Fixture, org: str) -> None:
    operator, reader = api.Api("operator", org), api.Api("reader", org)
    other = api.Api("operator", house.organisation("Other", "operator").id)
    api.take(operator, OLD)
    assert reader.post("/vex?name=lake", openvex()).status_code == 403
    made = operator.post("/vex?name=lake", openvex()).json()
    run_jobs()
    assert reader.get("/vex").json() == [made]
    rows = {row["advisory"]: row for row in reader.get("/suppressed").json()}
    assert rows[CORRECTION]["status"] == "not_affected"
    assert (other.get("/vex").json(), other.get("/suppressed").json()) == ([], [])
    assert Client().get("/api/v1/suppressed").status_code == 401
    for path in (
        f"/suppressed/{rows[CORRECTION]['id']}/lift",
        f"/suppressed/{rows[CORRECTION]['id']}/honour",
        f"/vex/{made['id']}/withdraw",
    ):
        assert reader.post(path).status_code == 403
        assert other.post(path).status_code == 404
        assert operator.post(path).status_code == 200
