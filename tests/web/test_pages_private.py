"""What an operator's portal asks in private, and shows of it: with its marking and hour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client
from tests.matching.build import osv
from tests.services.advisories import sbom
from tests.services.private_house import NAMES, many
from tests.services.running import run_jobs
from tests.web.visitors import read, send, visitor

from vedette.exchange.private_question import opened_question, read_question, seal_answer
from vedette.kernel.canonical import canonical
from vedette.kernel.errors import Refused
from vedette.kernel.permissions import Profile
from vedette.matching import private, records
from vedette.matching.index import Index
from vedette.services import index, inventories, jobs, private_found
from vedette.services.acting import act, instance_actor
from vedette.services.here import use
from vedette.services.testing import FakePeer, Fixture
from vedette.store.models import LedgerEntry, Peer, Schedule
from vedette.store.tenancy import SYSTEM, scoped


@pytest.fixture
def house(operator: Fixture) -> FakePeer:
    """A clearinghouse that is only its keys, and its index in hand."""
    made = operator.peer("Clearinghouse", Profile.CLEARINGHOUSE)
    with act(instance_actor(), None) as doing:
        peer = Peer.objects.get(keyid=made.keys.public.keyid)
        index.keep(doing, many(), peer, 1, doing.now)
    person = operator.person("operator")
    inventories.take_inventory(person, "plant", sbom(f"pkg:pypi/{NAMES[3]}@1.4.1"), exposed=False)
    return made


def answering(house: FakePeer, entries: list[private.Entry]) -> Callable[[str], object]:
    """What stands in for the way to the clearinghouse: it answers with these entries."""
    division = private.divide(Index(many(), "index").keys())

    def post(envelope: bytes) -> bytes:
        question = read_question(opened_question(envelope))
        filled = private.fill(entries, question.buckets, division.bits, bytes(16))
        head = {"bits": division.bits, "shared": division.shared, "products": division.products}
        head |= {"salt": bytes(16).hex(), "limit": 8, "left": 7}
        return seal_answer(question, head, filled, house.keys)

    return lambda url: post


def entry(name: str, marking: str = "TLP:AMBER+STRICT") -> private.Entry:
    record = osv("case-2222222222222222", name, [{"introduced": "0"}, {"fixed": "2.0"}])
    hours = [{"zone": "Europe/Berlin", "local": "2027-03-01 10:00"}]
    told = {"case": record.id, "marking": marking, "until": "2027-03-01T09:00:00Z", "hours": hours}
    return "pypi/" + name, canonical({**told, "record": records.dump(record).decode()})


def test_what_was_found_is_shown_with_marking_and_hour(
    operator: Fixture, house: FakePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = visitor(operator, "operator")
    assert "Nothing was found in private" in read(client, "/inventories/")
    found = answering(house, [entry(NAMES[3]), entry(NAMES[4])])
    monkeypatch.setattr(private_found, "_poster", found)
    page = read(client, send(client, "/inventories/ask/"))
    assert "1 found. 7 of 8 questions are left" in page
    assert "1 match with cases under embargo" in read(client, "/")
    [kept] = private_found.found(operator.person("operator"))
    assert kept["line"]["name"] == NAMES[3], "the product by its name, whatever its id in a list"
    for words in (NAMES[3], "1.4.1", "affected", "case-2222222222222222", "2.0"):
        assert words in page
    assert "2027-03-01 10:00 Europe/Berlin" in page
    assert "TLP:AMBER+STRICT" in page
    assert NAMES[4] not in page
    monkeypatch.setattr(private_found, "_poster", answering(house, []))
    send(client, "/inventories/ask/")
    assert "Nothing was found in private" in read(client, "/inventories/")
    with scoped(SYSTEM):
        assert LedgerEntry.objects.filter(event="operator:question:asked").count() == 2


def test_a_reader_sees_and_does_not_ask(
    operator: Fixture, house: FakePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_found, "_poster", answering(house, [entry(NAMES[3])]))
    private_found.ask(operator.person("operator"))
    reader = visitor(operator, "reader")
    page = read(reader, "/inventories/")
    assert "case-2222222222222222" in page
    assert "Ask in private" not in page
    assert reader.post("/inventories/ask/").status_code == 403
    assert visitor(operator, "operator").get("/inventories/ask/").status_code == 405
    assert Client().post("/inventories/ask/").headers["Location"].startswith("/accounts/login/")


def test_a_refusal_is_said_and_what_was_found_stays(
    operator: Fixture, house: FakePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_found, "_poster", answering(house, [entry(NAMES[3])]))
    client = visitor(operator, "operator")
    send(client, "/inventories/ask/")

    def refuse(question: bytes) -> bytes:
        raise Refused("8 private questions in 24 hours", next_step="ask again from noon on")

    monkeypatch.setattr(private_found, "_poster", lambda url: refuse)
    answer = client.post("/inventories/ask/", follow=True)
    assert b"8 private questions in 24 hours" in answer.content
    assert "case-2222222222222222" in read(client, "/inventories/")


def test_the_daily_question_is_off_unless_it_is_chosen(
    operator: Fixture, house: FakePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def refuse(question: bytes) -> bytes:
        asked.append(question)
        raise Refused("8 private questions in 24 hours", next_step="ask again from noon on")

    def pass_day() -> None:
        operator.clock.time += timedelta(days=1)
        jobs.tick()
        run_jobs()

    monkeypatch.setattr(private_found, "_poster", lambda url: refuse)
    run_jobs()
    private_found.every_day()
    pass_day()
    assert not asked
    client = visitor(operator, "operator")
    assert "It asks when you do" in read(client, "/inventories/")
    with use(replace(operator.here, ask_daily=True)):
        assert "asks by itself once a day, at" in read(client, "/inventories/")
        for _ in range(2):
            private_found.every_day()
        pass_day()
        assert len(asked) == 1, "refused, and not asked again on this day"
        monkeypatch.setattr(private_found, "_poster", answering(house, [entry(NAMES[3])]))
        pass_day()
    assert [each["case"] for each in private_found.found(operator.person("reader"))] == [
        "case-2222222222222222"
    ]
    pass_day()
    with scoped(SYSTEM):
        due = Schedule.objects.get(name=private_found.DAILY)
        assert due.done_at is not None, "switched off: the last one asks nothing, and is the last"


def test_instances_ask_at_hours_of_their_own() -> None:
    hours = {private_found.own_hour(f"org-{number}").hour for number in range(500)}
    assert hours == set(range(24))
    assert private_found.own_hour("org-1") == private_found.own_hour("org-1")
