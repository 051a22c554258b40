"""Messages on their way out: what a peer's server does wrong delays or refuses one, no more."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event as Flag
from threading import Thread

import pytest
from demo.stage import free_port
from tests.services.running import run_jobs

from vedette.kernel.errors import Forbidden, NotFound
from vedette.kernel.ids import new_id
from vedette.kernel.permissions import Profile
from vedette.services import jobs, messages, outbox, peers, posting
from vedette.services.acting import instance_actor
from vedette.services.testing import FakePeer, Fixture
from vedette.store.models import LedgerEntry, OutMessage, Peer, Schedule
from vedette.store.tenancy import SYSTEM, scoped

ACCEPTED = json.dumps({"status": "accepted"}).encode()
Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def listening(answer: Answer, port: int = 0) -> Iterator[tuple[str, list[str]]]:
    """A peer's server on loopback; give its address and the paths asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            try:
                answer(self)
            except OSError:
                return

        do_GET = do_POST

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def says(status: int, body: bytes = b"", **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def queued(lab: Fixture, office: FakePeer, url: str) -> str:
    """Queue a message to the office at `url`; return its id."""
    with scoped(SYSTEM):
        Peer.objects.filter(keyid=office.keys.public.keyid).update(url=url)
        peer = Peer.objects.get(keyid=office.keys.public.keyid)
    act = new_id("act")
    body = {"act": act, "reason": "because"}
    return outbox.queue(
        peer,
        "engagement.withdrawn",
        body,
        thread=act,
        marking="TLP:AMBER",
        now=lab.clock.now(),
    )


def row(message_id: str) -> OutMessage:
    with scoped(SYSTEM):
        return OutMessage.objects.get(id=message_id)


def events(message_id: str) -> list[str]:
    with scoped(SYSTEM):
        rows = LedgerEntry.objects.filter(message_id=message_id, event__startswith="message:")
        return list(rows.order_by("seq").values_list("event", flat=True))


def waits(message_id: str) -> OutMessage:
    """The message is still queued, with a later try set once."""
    found = row(message_id)
    assert found.state == "queued"
    assert found.delivered_at is None
    with scoped(SYSTEM):
        planned = Schedule.objects.get(name=f"deliver to {found.peer_id}")
    assert planned.done_at is None
    assert planned.due_at == found.next_attempt_at
    assert not events(message_id)
    return found


def tried(lab: Fixture, answer: Answer) -> OutMessage:
    """One try at a peer that answers so."""
    office = lab.peer("Office", Profile.OFFICE)
    with listening(answer) as (url, asked):
        message_id = queued(lab, office, url)
        assert run_jobs() == 1
    assert asked == [outbox.INBOX_PATH]
    return row(message_id)


def test_a_peer_that_is_down_gets_it_when_it_is_back(lab: Fixture) -> None:
    office, port = lab.peer("Office", Profile.OFFICE), free_port(0)
    message_id = queued(lab, office, f"http://127.0.0.1:{port}")
    tries = []
    for number in (1, 2):
        run_jobs()
        found = waits(message_id)
        assert found.attempts == number
        assert found.next_attempt_at is not None
        assert jobs.tick() == 0, "not before its time"
        tries.append(found.next_attempt_at - lab.clock.now())
        lab.clock.time = found.next_attempt_at
        if number == 1:
            assert jobs.tick() == 1
    assert timedelta(0) < tries[0] < tries[1], "the second wait is longer"
    with listening(says(202, ACCEPTED), port) as (_, asked):
        assert jobs.tick() == 1
        run_jobs()
        outbox.deliver(row(message_id).peer_id)
    assert len(asked) == 1, "a message that was delivered is not sent again"
    found = row(message_id)
    assert (found.state, found.attempts, found.answer) == ("delivered", 3, "accepted")
    assert events(message_id) == ["message:message:delivered"]


@pytest.mark.parametrize("status", [404, 429, 500, 503])
@pytest.mark.parametrize("body", [b"", b'{"detail": "busy"}', b"<html>busy</html>"])
def test_a_peer_in_trouble_is_tried_again(lab: Fixture, status: int, body: bytes) -> None:
    found = tried(lab, says(status, body))
    assert waits(found.id).answer == f"HTTP {status}"


def test_a_refusal_is_final_and_recorded(lab: Fixture) -> None:
    told = {"status": "refused", "reason": "bad-field", "detail": "body.act: missing"}
    found = tried(lab, says(422, json.dumps(told).encode()))
    assert (found.state, found.answer) == ("refused", "body.act: missing")
    assert events(found.id) == ["message:message:refused"]
    with scoped(SYSTEM):
        assert not Schedule.objects.filter(name=f"deliver to {found.peer_id}").exists()


def test_taken_before_counts_as_delivered(lab: Fixture) -> None:
    found = tried(lab, says(200, b'{"status": "already"}'))
    assert (found.state, found.answer) == ("delivered", "already")


def test_a_redirect_is_not_followed(lab: Fixture) -> None:
    with listening(says(202, ACCEPTED)) as (elsewhere, asked):
        found = tried(lab, says(302, Location=f"{elsewhere}/exchange/v1/inbox"))
    assert asked == []
    assert waits(found.id).answer == "HTTP 302"


@pytest.mark.parametrize("body", [b"<html>welcome</html>", b"[]", b"7", b'{"a":' * 5000])
def test_what_is_no_receipt_delivers_nothing(lab: Fixture, body: bytes) -> None:
    found = tried(lab, says(200, body))
    assert "answer" in waits(found.id).answer


@pytest.mark.parametrize("word", ["\x00", "\ud800"])
def test_words_that_no_database_takes_are_not_kept(lab: Fixture, word: str) -> None:
    found = tried(lab, says(202, json.dumps({"detail": word}).encode()))
    assert word not in waits(found.id).answer


def test_an_endless_answer_is_cut_off(lab: Fixture) -> None:
    sent = [0]

    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while sent[0] < 64 * 1024 * 1024:
            sent[0] += handler.wfile.write(b" " * 65_536)

    found = tried(lab, endless)
    assert "more than 65,536 bytes" in waits(found.id).answer
    assert sent[0] < 32 * 1024 * 1024


@pytest.mark.parametrize("drip", [False, True])
def test_a_peer_that_never_ends_its_answer_is_left(
    lab: Fixture, monkeypatch: pytest.MonkeyPatch, drip: bool
) -> None:
    monkeypatch.setattr(posting, "PATIENCE", 0.3)
    over = Flag()

    def hanging(handler: BaseHTTPRequestHandler) -> None:
        if drip:
            handler.send_response(200)
            handler.end_headers()
            while not over.wait(0.05):
                handler.wfile.write(b" ")
        over.wait(10)

    start = time.monotonic()
    try:
        found = tried(lab, hanging)
    finally:
        over.set()
    assert time.monotonic() - start < 5
    assert waits(found.id).answer


@pytest.mark.parametrize("url", ["http://[::", "ftp://127.0.0.1", "http://127.0.0.1:99999", "x"])
def test_an_address_that_is_none_is_told(lab: Fixture, url: str) -> None:
    message_id = queued(lab, lab.peer("Office", Profile.OFFICE), url)
    run_jobs()
    assert waits(message_id).answer


def tries_until_given_up(lab: Fixture, message_id: str) -> int:
    """Let time pass until nothing is planned any more; return how many tries there were."""
    tries = 0
    while run_jobs():
        tries += 1
        lab.clock.time += timedelta(days=2)
        jobs.tick()
    assert row(message_id).state == "given-up"
    return tries


def test_a_peer_that_never_answers_is_given_up_for_now_and_nothing_is_lost(lab: Fixture) -> None:
    office = lab.peer("Office", Profile.OFFICE)
    with listening(says(404)) as (url, asked):
        message_id = queued(lab, office, url)
        assert tries_until_given_up(lab, message_id) == len(outbox.RETRY_AFTER) + 1
    assert len(asked) == len(outbox.RETRY_AFTER) + 1
    assert row(message_id).answer == "HTTP 404"
    assert events(message_id) == ["message:message:given-up"]


def test_given_up_messages_go_out_again_by_hand(lab: Fixture) -> None:
    office = lab.peer("Office", Profile.OFFICE)
    message_id = queued(lab, office, "http://127.0.0.1:1")
    tries_until_given_up(lab, message_id)
    assert messages.retry(lab.person("release-lead"), message_id) == 1
    assert row(message_id).attempts == 0
    with pytest.raises(NotFound):
        messages.retry(lab.person("release-lead"), "msg-3333333333333333")
    with pytest.raises(Forbidden):
        messages.retry(lab.person("reader"), message_id)
    with listening(says(202, ACCEPTED)) as (url, _):
        queued(lab, office, url)
        run_jobs()
    assert row(message_id).state == "delivered"


def test_given_up_messages_go_out_again_when_the_address_changes_or_another_arrives(
    lab: Fixture,
) -> None:
    office = lab.peer("Office", Profile.OFFICE)
    first = queued(lab, office, "http://127.0.0.1:1")
    tries_until_given_up(lab, first)
    with listening(says(202, ACCEPTED)) as (url, asked):
        peers.add_peer(instance_actor(), replace(office.card, url=url))
        run_jobs()
        assert row(first).state == "delivered"
        with scoped(SYSTEM):
            OutMessage.objects.filter(id=first).update(state="given-up")
        queued(lab, office, url)
        run_jobs()
        assert row(first).state == "delivered"
    assert len(asked) == 3


def test_many_go_together_and_each_has_its_receipt(lab: Fixture) -> None:
    """One job, one request; what is refused is refused alone."""
    office = lab.peer("Office", Profile.OFFICE)
    told = [{"status": "accepted"}] * 4 + [{"status": "refused", "detail": "body.act: missing"}]
    with listening(says(200, json.dumps({"receipts": told}).encode())) as (url, asked):
        ids = [queued(lab, office, url) for _ in told]
        assert run_jobs() == 1
    assert asked == [posting.BATCH_PATH]
    assert sorted(row(each).state for each in ids) == ["delivered"] * 4 + ["refused"]


def test_a_peer_that_takes_no_batches_gets_them_singly(lab: Fixture) -> None:
    office = lab.peer("Office", Profile.OFFICE)

    def older(handler: BaseHTTPRequestHandler) -> None:
        (says(202, ACCEPTED) if handler.path == outbox.INBOX_PATH else says(404))(handler)

    with listening(older) as (url, asked):
        ids = [queued(lab, office, url) for _ in range(3)]
        run_jobs()
    assert asked == [posting.BATCH_PATH, *[outbox.INBOX_PATH] * 3]
    assert {row(each).state for each in ids} == {"delivered"}


def test_one_message_that_a_peer_stumbles_over_holds_up_no_other(lab: Fixture) -> None:
    office = lab.peer("Office", Profile.OFFICE)
    calls: list[str] = []

    def stumbling(handler: BaseHTTPRequestHandler) -> None:
        calls.append(handler.path)
        first = handler.path == outbox.INBOX_PATH and calls.count(outbox.INBOX_PATH) == 1
        batch = handler.path == posting.BATCH_PATH
        (says(500) if first or batch else says(202, ACCEPTED))(handler)

    with listening(stumbling) as (url, _):
        ids = [queued(lab, office, url) for _ in range(4)]
        run_jobs()
    assert sorted(row(each).state for each in ids) == ["delivered"] * 3 + ["queued"]
