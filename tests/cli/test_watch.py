"""`vedette watch`: news alone, whatever the server tries; nothing of the inventory crosses."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.matching.build import osv

from vedette.cli import main, watch_private
from vedette.exchange.card import Card
from vedette.exchange.published_index import Statement
from vedette.kernel.canonical import digest
from vedette.kernel.errors import BadInput
from vedette.kernel.keys import PrivateKeys
from vedette.kernel.permissions import Profile
from vedette.matching import delta
from vedette.matching.building import build
from vedette.matching.model import Advisory

DAY = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass
class Clearinghouse:
    """A server of indexes that keeps what it was asked; `lie` changes an answer's bytes."""

    keys: PrivateKeys = field(default_factory=PrivateKeys.generate)
    asked: list[str] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)
    built: dict[str, bytes] = field(default_factory=dict)
    latest: bytes = b"{}"
    url: str = ""
    lie: Callable[[str, bytes], bytes] = field(default=lambda path, data: data)

    def publish(self, *advisories: Advisory, day: int = 0, keys: PrivateKeys | None = None) -> None:
        data = build(advisories)
        self.built[digest(data)] = data
        at = DAY + timedelta(days=day)
        statement = Statement("index-1", digest(data), len(data), len(advisories), at)
        self.latest = json.dumps(statement.sign(keys or self.keys)).encode()

    def answer(self, path: str) -> bytes:
        self.asked.append(path)
        name = urlsplit(path).path.removeprefix("/index/v1/")
        if name == "latest":
            return self.latest
        since = parse_qs(urlsplit(path).query).get("since")
        data = delta.make(self.built[since[0]], self.built[name]) if since else self.built[name]
        return self.lie(path, data)

    def card(self, path: Path, keys: PrivateKeys | None = None) -> str:
        public = (keys or self.keys).public
        card = Card("Clearinghouse", Profile.CLEARINGHOUSE, self.url, public)
        path.write_text(json.dumps(card.to_json()))
        return str(path)


@pytest.fixture
def there() -> Iterator[Clearinghouse]:
    made = Clearinghouse()

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.agents.add(self.headers["User-Agent"])
            data = made.answer(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Home:
    """An operator's folder: its inventory, and what `watch` keeps."""

    folder: Path
    there: Clearinghouse
    capsys: pytest.CaptureFixture[str]

    def watch(self, *more: str) -> tuple[int, list[tuple[str, str]], str]:
        """Exit code, (change, advisory) of each line, and what was said of problems."""
        inventory, state = self.folder / "sbom.cdx.json", self.folder / "state"
        about = ["--inventory", str(inventory), "--from", self.there.url, "--state", str(state)]
        with pytest.raises(SystemExit) as stop:
            main(["watch", *about, "--json", *more])
        said = self.capsys.readouterr()
        lines = [json.loads(line) for line in said.out.splitlines()]
        return int(stop.value.code or 0), [(x["change"], x["advisory"]) for x in lines], said.err


@pytest.fixture
def home(tmp_path: Path, there: Clearinghouse, capsys: pytest.CaptureFixture[str]) -> Home:
    sbom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "components": [
            {"type": "library", "name": n, "version": "1.0", "purl": f"pkg:pypi/{n}@1.0"}
            for n in ("kestrel", "secret-thing")
        ],
    }
    (tmp_path / "sbom.cdx.json").write_text(json.dumps(sbom))
    return Home(tmp_path, there, capsys)


def flaw(name: str, fixed: str, of: str = "kestrel") -> Advisory:
    return osv(name, of, [{"introduced": "0"}, {"fixed": fixed}])


def test_news_come_once_and_only_what_changed_is_fetched(home: Home, there: Clearinghouse) -> None:
    there.publish(flaw("A-1", "2.0"), flaw("A-2", "0.5"))
    card = there.card(home.folder / "card.json")
    assert home.watch("--card", card)[:2] == (0, [("new", "A-1")])
    code, lines, said = home.watch()
    assert (code, lines) == (0, [])
    assert "nothing new" in said
    assert home.watch("--all")[1] == [("as before", "A-1")]
    there.publish(flaw("A-1", "2.1"), flaw("A-2", "0.5"), flaw("A-3", "3.0"), day=1)
    assert home.watch()[1] == [("changed", "A-1"), ("new", "A-3")]
    assert "?since=" in there.asked[-1]
    there.publish(flaw("A-2", "0.5"), day=2)
    assert home.watch()[1] == [("gone", "A-1"), ("gone", "A-3")]


def test_nothing_of_the_inventory_is_asked_for(home: Home, there: Clearinghouse) -> None:
    there.publish(flaw("A-1", "2.0"), flaw("A-9", "2.0", of="secret-thing"))
    home.watch("--card", there.card(home.folder / "card.json"))
    there.publish(flaw("A-1", "2.0"), day=1)
    home.watch()
    names = [*there.built]
    assert there.asked == [
        *("/index/v1/latest", f"/index/v1/{names[0]}"),
        *("/index/v1/latest", f"/index/v1/{names[1]}?since={names[0]}"),
    ]
    assert there.agents == {"vedette"}


def test_what_the_pinned_key_did_not_sign_is_refused(home: Home, there: Clearinghouse) -> None:
    there.publish(flaw("A-1", "2.0"))
    code, _, said = home.watch()
    assert code == 2
    assert "--card is missing" in said
    card = there.card(home.folder / "card.json")
    home.watch("--card", card)
    other = PrivateKeys.generate()
    there.publish(flaw("A-2", "2.0"), day=1, keys=other)
    code, lines, said = home.watch()
    assert (code, lines) == (2, [])
    assert "does not bear the signature" in said
    code, _, said = home.watch("--card", there.card(home.folder / "other.json", other))
    assert code == 2
    assert "another key" in said


def test_an_older_index_is_refused(home: Home, there: Clearinghouse) -> None:
    there.publish(flaw("A-1", "2.0"), day=2)
    home.watch("--card", there.card(home.folder / "card.json"))
    there.publish(day=1)
    code, lines, said = home.watch()
    assert (code, lines) == (2, [])
    assert "older" in said


def test_damaged_bytes_are_refused_and_a_damaged_delta_costs_the_whole(
    home: Home, there: Clearinghouse
) -> None:
    card = there.card(home.folder / "card.json")
    there.publish(flaw("A-1", "2.0"))
    there.lie = lambda path, data: data[:-1] + b"!"
    code, lines, said = home.watch("--card", card)
    assert (code, lines) == (2, [])
    assert "digest" in said
    there.lie = lambda path, data: data
    assert home.watch()[1] == [("new", "A-1")]
    there.publish(flaw("A-1", "2.0"), flaw("A-2", "2.0"), day=1)
    there.lie = lambda path, data: data[::-1] if "since" in path else data
    assert home.watch()[1] == [("new", "A-2")]
    assert "since" not in there.asked[-1]


def test_one_that_is_away_is_said_and_what_is_in_hand_is_matched(
    home: Home, there: Clearinghouse
) -> None:
    there.publish(flaw("A-1", "2.0"))
    home.watch("--card", there.card(home.folder / "card.json"))
    there.url = "http://127.0.0.1:9"
    code, lines, said = home.watch("--all")
    assert (code, lines) == (0, [("as before", "A-1")])
    assert "can't be reached" in said
    (home.folder / "state" / "advisories.idx").unlink()
    assert home.watch()[0] == 2


@pytest.mark.parametrize(
    ("name", "data", "lines"),
    [
        ("advisories.idx", lambda data: data[:-9], []),
        ("advisories.idx", lambda data: data.replace(b'"2.0"', b'"0.0"'), []),
        ("statement.json", lambda data: data[:-9], []),
        ("statement.json", lambda data: b"", []),
        ("seen.jsonl", lambda data: data[:-9], [("new", "A-1")]),
        ("seen.jsonl", lambda data: b"[1]\n\xff", [("new", "A-1")]),
    ],
)
def test_what_was_damaged_at_home_is_fetched_or_told_anew(
    home: Home,
    there: Clearinghouse,
    name: str,
    data: Callable[[bytes], bytes],
    lines: list[tuple[str, str]],
) -> None:
    there.publish(flaw("A-1", "2.0"))
    home.watch("--card", there.card(home.folder / "card.json"))
    kept = home.folder / "state" / name
    whole = kept.read_bytes()
    kept.write_bytes(data(whole))
    code, told, said = home.watch()
    assert (code, told) == (0, lines)
    assert "damaged" in said
    assert kept.read_bytes() == whole
    assert "damaged" not in home.watch()[2]


def test_what_could_not_be_shown_is_news_again(
    home: Home, there: Clearinghouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    there.publish(flaw("A-1", "2.0"))

    def full(line: str, *, err: bool = False) -> None:
        if not err:
            raise BadInput("no room")

    with monkeypatch.context() as broken:
        broken.setattr("vedette.cli.watch.click.echo", full)
        assert home.watch("--card", there.card(home.folder / "card.json"))[0] == 2
    assert home.watch()[1] == [("new", "A-1")]


def test_one_that_runs_on_outlasts_what_goes_wrong(
    home: Home, there: Clearinghouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    card, sbom = there.card(home.folder / "card.json"), home.folder / "sbom.cdx.json"
    held = sbom.read_bytes()

    def after(rounds: list[Callable[[], object]]) -> Callable[[float], None]:
        def sleep(_: float) -> None:
            if not rounds:
                raise KeyboardInterrupt
            rounds.pop(0)()

        return sleep

    there.publish(flaw("A-1", "2.0"))
    rounds: list[Callable[[], object]] = [
        lambda: sbom.write_bytes(held),
        lambda: there.publish(flaw("A-2", "2.0"), day=1, keys=PrivateKeys.generate()),
        lambda: there.publish(flaw("A-1", "2.0"), flaw("A-3", "2.0"), day=2),
    ]
    sbom.write_bytes(held[:-9])
    monkeypatch.setattr("vedette.cli.watch.time.sleep", after(rounds))
    code, lines, said = home.watch("--card", card, "--every", "1")
    assert (code, lines) == (130, [("new", "A-1"), ("new", "A-3")])
    assert "not JSON" in said
    assert "does not bear the signature" in said


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"220 smtp.example ready\r\n",
        b"",
    ],
)
def test_half_an_answer_is_said(home: Home, there: Clearinghouse, answer: bytes) -> None:
    there.publish(flaw("A-1", "2.0"))
    card = there.card(home.folder / "card.json")
    with socket.create_server(("127.0.0.1", 0)) as door:
        there.url = f"http://127.0.0.1:{door.getsockname()[1]}"

        def serve() -> None:
            one, _ = door.accept()
            with one:
                one.recv(4096)
                one.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        code, _, said = home.watch("--card", card)
        thread.join()
    assert code == 2
    assert "/index/v1/latest" in said or "index: " in said
    assert "our own fault" not in said


def test_an_embargos_hour_is_said_in_utc_and_in_the_parties_zones() -> None:
    hours = [
        {"zone": "UTC", "local": "2027-02-24 02:14 UTC"},
        {"zone": "Europe/Berlin", "local": "2027-02-24 03:14"},
    ]
    embargo = {"until": "2027-02-24T02:14:00Z", "hours": hours, "marking": "TLP:AMBER"}
    said = watch_private.words({"embargo": embargo})
    assert said == (
        "  UNDER EMBARGO until 2027-02-24T02:14:00Z (2027-02-24 03:14 Europe/Berlin)  TLP:AMBER"
    )
    without = watch_private.words({"embargo": {**embargo, "hours": hours[:1]}})
    assert without == "  UNDER EMBARGO until 2027-02-24T02:14:00Z  TLP:AMBER"
