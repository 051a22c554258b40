"""A clearinghouse that answers over loopback with every byte recorded, and operators that ask."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from msgspec.structs import replace
from tests.matching.build import osv
from tests.services.coordination import opened, recipe, shown

from vedette.cli import main
from vedette.exchange.card import Card
from vedette.kernel.clock import format_time
from vedette.kernel.keys import PrivateKeys
from vedette.kernel.permissions import Profile
from vedette.matching.building import build
from vedette.services import index, peers, private_cases
from vedette.services.acting import act, instance_actor
from vedette.services.testing import Fixture
from vedette.site.config import write_config
from vedette.store.models import Case

NAMES = [f"quarry-works-{n:05}" for n in range(12_000)]


def one_flaw_each(recipe: Mapping[str, Any], build: Any = None) -> dict[str, Any]:
    """What an execution shows where every recipe has a flaw of its own."""
    where = str(recipe["input_b64"])
    return shown(top_frame=where, frames=[where], reason=f"overflow in {where}")


@cache
def many() -> bytes:
    """An index of so many names that there are more buckets than a question names."""
    one = osv("A-1", "kestrel", [{"introduced": "9"}])
    return build([replace(one, affected=tuple(replace(one.affected[0], name=n) for n in NAMES))])


def publish(house: Fixture) -> None:
    """Have the clearinghouse publish that index."""
    with act(instance_actor(), None) as doing:
        index.keep(doing, many(), None, len(NAMES), doing.now)


def embargoed(house: Fixture, name: str, fixed: str = "2.0", *, secret: bool = False) -> Case:
    """A case on a package, open for private matching."""
    found = opened(house, marking="TLP:AMBER+STRICT", recipe=recipe(name.encode()))
    affected = {
        "vendor": name,
        "product": name,
        "ecosystem": "PyPI",
        "package": name,
        "ranges": [{"introduced": "0", "fixed": fixed}],
    }
    coordinator = house.person("coordinator")
    private_cases.open_in_private(coordinator, found.id, [affected], secret=secret)
    return found


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@dataclass
class Wire:
    """A relay in front of the server that keeps what passes: one pair of bytes a connection."""

    port: int = 0
    passed: list[tuple[bytearray, bytearray]] = field(default_factory=list)

    def lengths(self) -> list[tuple[int, int]]:
        return [(len(there), len(back)) for there, back in self.passed]

    def bytes(self) -> bytes:
        return b"".join(bytes(there) + bytes(back) for there, back in self.passed)


def _pump(source: socket.socket, sink: socket.socket, kept: bytearray) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            kept += data
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


@contextmanager
def recorded(port: int) -> Iterator[Wire]:
    """Record what passes to and from a local port."""
    wire = Wire()
    door = socket.create_server(("127.0.0.1", 0))
    wire.port = door.getsockname()[1]

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = door.accept()
                server = socket.create_connection(("127.0.0.1", port))
                there, back = bytearray(), bytearray()
                wire.passed.append((there, back))
                threading.Thread(target=_pump, args=(client, server, there), daemon=True).start()
                _pump(server, client, back)
                client.close()
                server.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield wire
    with suppress(OSError):
        door.shutdown(socket.SHUT_RDWR)
    door.close()
    thread.join(5)


@contextmanager
def served() -> Iterator[tuple[int, Callable[[Callable[[], Any]], Any]]]:
    """The instance's port, and what serves it in this thread while something runs in another.

    A database that exists in a test's own transaction is seen by its own thread alone.
    """
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)  # the test's own connection stays
    with make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Quiet) as server:
        server.timeout = 0.02

        def while_served(work: Callable[[], Any]) -> Any:
            found: list[Any] = []
            thread = threading.Thread(target=lambda: found.append(work()), daemon=True)
            thread.start()
            while thread.is_alive():
                server.handle_request()
            return found[0]

        yield int(server.server_address[1]), while_served
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@dataclass
class Operator:
    """An operator's instance, as far as `vedette watch` needs it: settings, keys, an inventory."""

    house: Fixture
    folder: Path
    port: int
    serve: Callable[[Callable[[], Any]], Any]
    capsys: pytest.CaptureFixture[str]
    name: str = "Utility"
    keys: PrivateKeys = field(default_factory=PrivateKeys.generate)

    def __post_init__(self) -> None:
        (self.folder / "keys").mkdir(parents=True)
        self.keys.save(self.folder / "keys" / "instance.key")
        self.set_clock()
        clock = str(self.folder / "clock")
        write_config(self.folder, {"profile": "operator", "demo": "yes", "clock": clock})
        card = self.house.here.card
        (self.folder / "house.json").write_text(json.dumps(card.to_json()))

    def set_clock(self) -> None:
        (self.folder / "clock").write_text(format_time(self.house.clock.now()))

    def known(self, *, early_warning: bool = True, profile: Profile = Profile.OPERATOR) -> None:
        """Have the clearinghouse know it, and let it ask."""
        card = Card(self.name, profile, "", self.keys.public)
        peers.add_peer(instance_actor(), card)
        if early_warning:
            private_cases.warn_early(self.house.person("coordinator"), self.name)

    def holds(self, *purls: str) -> None:
        rows = [{"type": "library", "name": p, "bom-ref": p, "purl": p} for p in purls]
        sbom = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": rows}
        (self.folder / "plant.cdx.json").write_text(json.dumps(sbom))

    def watch(self, *more: str, port: int = 0) -> tuple[int, list[dict[str, Any]], str]:
        """Exit code, lines and what was said."""
        url = f"http://127.0.0.1:{port or self.port}"
        given = ["--inventory", str(self.folder / "plant.cdx.json"), "--from", url, "--json"]
        given += ["--card", str(self.folder / "house.json"), "--state", str(self.folder / "state")]

        def run() -> int:
            with pytest.raises(SystemExit) as stop:
                main(["watch", *given, *more, "--instance", str(self.folder)])
            return int(stop.value.code or 0)

        code = self.serve(run)
        said = self.capsys.readouterr()
        return code, [json.loads(line) for line in said.out.splitlines()], said.err
