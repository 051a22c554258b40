"""An operator's own instance pulls the index: signed, whole, the newest, or not at all."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django_tasks_db.models import DBTaskResult
from tests.services.advisories import CORRECTION, CVE, PUBLIC, osv, sbom
from tests.services.running import run_jobs

from vedette.exchange.card import Card
from vedette.exchange.envelope import sign_payload
from vedette.exchange.published_index import INDEX_TYPE, RefusedIndex
from vedette.formats import osv_in
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput, NotFound
from vedette.kernel.keys import PrivateKeys
from vedette.kernel.permissions import Profile
from vedette.matching.building import build
from vedette.services import index, inventories, notices, peers, pulls
from vedette.services.acting import instance_actor
from vedette.services.testing import START, FakePeer, Fixture
from vedette.store.models import IndexBuild, LedgerEntry, Notice
from vedette.store.tenancy import SYSTEM, scoped


@dataclass
class House:
    """A clearinghouse that is only its keys and a small server."""

    peer: FakePeer
    pages: dict[str, bytes] = field(default_factory=dict)
    url: str = ""
    asked: list[str] = field(default_factory=list)

    def publish(self, data: bytes, at: datetime = START, keys: PrivateKeys | None = None) -> bytes:
        """Serve `data` as the newest index; return the statement's envelope."""
        statement = {
            "vedette": 1,
            "index": "index-2222222222222222",
            "digest": digest(data),
            "size": len(data),
            "advisories": 2,
            "built_at": format_time(at),
            "issuer": self.peer.keys.public.keyid,
        }
        envelope = sign_payload(canonical(statement), INDEX_TYPE, keys or self.peer.keys)
        self.pages["/index/v1/latest"] = json.dumps(envelope).encode()
        self.pages["/index/v1/" + digest(data)] = data
        return self.pages["/index/v1/latest"]

    def announce(self, data: bytes, at: datetime = START) -> None:
        body = {
            "index": "index-2222222222222222",
            "digest": digest(data),
            "size": len(data),
            "advisories": 2,
            "url": "http://elsewhere.example/index",
            "published": format_time(at),
        }
        receipt = self.peer.send("index.published", body, thread=body["index"], marking="TLP:CLEAR")
        assert receipt.status == "accepted"


@pytest.fixture
def house(operator: Fixture) -> Iterator[House]:
    made = House(FakePeer("Clearinghouse", Profile.CLEARINGHOUSE, operator.here))

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append(self.path)
            content = made.pages.get(self.path)
            self.send_response(302 if content == b"elsewhere" else 200 if content else 404)
            if content == b"elsewhere":
                self.send_header("Location", "/index/v1/other")
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *args: object) -> None:
            """Be quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made.url = f"http://127.0.0.1:{server.server_port}"
        card = Card("Clearinghouse", Profile.CLEARINGHOUSE, made.url, made.peer.keys.public)
        peers.add_peer(instance_actor(), card)
        yield made
        server.shutdown()


def corrected(fixed: str = "5.2.0") -> bytes:
    own = {"corrects": [PUBLIC], "evidence": "execution"}
    records = [
        osv(PUBLIC, "5.1.0", aliases=(CVE,)),
        osv(CORRECTION, fixed, aliases=(CVE,), database_specific={"vedette": own}),
    ]
    return build(osv_in.read(record, "record") for record in records)


def held() -> list[str]:
    with scoped(SYSTEM):
        return list(IndexBuild.objects.order_by("built_at").values_list("digest", flat=True))


def refusals() -> int:
    with scoped(SYSTEM):
        return LedgerEntry.objects.filter(event="index:index:refused").count()


def test_announced_pulled_matched_at_home(operator: Fixture, house: House) -> None:
    actor = operator.person("operator")
    inventories.take_inventory(actor, "machine", sbom("pkg:pypi/ujson@5.1.0"))
    data = corrected()
    house.publish(data)
    house.announce(data)
    run_jobs()
    (notice,) = notices.notices(actor)
    assert notice["advisory"] == CORRECTION
    assert "not affected" in notice["naive"]
    assert "execution evidence" in notice["reason"] or notice["also"] == [PUBLIC]
    house.announce(data)
    run_jobs()
    assert held() == [digest(data)]
    assert len(notices.notices(actor)) == 1
    assert house.peer.received() == [], "nothing goes back before the operator says something"
    assert pulls.pull_index(actor).digest == digest(data)


def _other_bytes(house: House, data: bytes) -> None:
    house.pages["/index/v1/" + digest(data)] = data[:-2] + b" \n"


def _longer(house: House, data: bytes) -> None:
    house.pages["/index/v1/" + digest(data)] = data + b"x" * 100_000


def _other_key(house: House, data: bytes) -> None:
    house.publish(data, keys=PrivateKeys.generate())


def _no_index(house: House, data: bytes) -> None:
    house.publish(b"something else")


def _no_statement(house: House, data: bytes) -> None:
    house.pages["/index/v1/latest"] = b"<html>"


@pytest.mark.parametrize("tamper", [_other_bytes, _longer, _other_key, _no_index, _no_statement])
def test_what_is_not_signed_is_refused_and_recorded(
    operator: Fixture, house: House, tamper: Callable[[House, bytes], None]
) -> None:
    data = corrected()
    house.publish(data)
    tamper(house, data)
    with pytest.raises(RefusedIndex):
        pulls.pull_index(operator.person("operator"))
    assert (held(), refusals()) == ([], 1)
    house.announce(data)
    run_jobs()
    assert (held(), refusals()) == ([], 2), "a job refuses once and does not try for ever"


def test_an_older_index_is_refused(operator: Fixture, house: House) -> None:
    old, new = corrected("5.1.5"), corrected()
    envelope = house.publish(old, START)
    house.publish(new, START + timedelta(days=2))
    actor = operator.person("operator")
    pulls.pull_index(actor)
    house.pages["/index/v1/latest"] = envelope
    with pytest.raises(RefusedIndex, match="older"):
        pulls.pull_index(actor)
    with pytest.raises(RefusedIndex, match="announced"):
        pulls.pull(house.peer.keys.public.keyid, format_time(START + timedelta(days=3)))
    assert held() == [digest(new)]


def test_a_redirect_is_not_followed(operator: Fixture, house: House) -> None:
    house.pages["/index/v1/latest"] = b"elsewhere"
    with pytest.raises(pulls.Unreachable, match="302"):
        pulls.pull_index(operator.person("operator"))
    assert house.asked == ["/index/v1/latest"]


def test_an_unreachable_peer_is_tried_again(operator: Fixture, house: House) -> None:
    data = corrected()
    house.announce(data)
    with pytest.raises(ConnectionError):
        run_jobs()
    house.publish(data)
    run_jobs()
    assert held() == [digest(data)]


def test_killed_between_pull_and_match(operator: Fixture, house: House) -> None:
    actor = operator.person("operator")
    inventories.take_inventory(actor, "machine", sbom("pkg:pypi/ujson@5.1.0"))
    run_jobs()
    house.publish(corrected())
    pulls.pull_index(actor)
    with scoped(SYSTEM):
        assert not Notice.objects.exists()
    waiting = [str(row.args_kwargs) for row in DBTaskResult.objects.filter(status="READY")]
    assert sum("match_changes" in job for job in waiting) == 1, "the match outlives a crash"
    run_jobs()
    assert len(notices.notices(actor)) == 1


def test_an_index_carried_by_hand(operator: Fixture, house: House) -> None:
    data = corrected()
    envelope = house.publish(data)
    actor = operator.person("operator")
    with pytest.raises(RefusedIndex, match="digest"):
        pulls.take_index(actor, envelope, data + b" ")
    assert refusals() == 1
    row = pulls.take_index(actor, envelope, data)
    assert (row.digest, house.asked) == (digest(data), [])
    assert row.public is False, "an operator serves nobody's index"
    with pytest.raises(NotFound):
        index.content(row.digest)


def test_pulling_needs_a_clearinghouse(operator: Fixture) -> None:
    with pytest.raises(BadInput, match="0 clearinghouses"):
        pulls.pull_index(operator.person("operator"))
