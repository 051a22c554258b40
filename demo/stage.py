"""The demo's stage: four instances as processes of their own, a shared clock file, their people.

Everything goes through what a stranger has: the `vedette` command, the portal's welcome link, and
the API. The instances share no file but the clock.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

VEDETTE = [sys.executable, "-m", "vedette"]
PASSWORD = "vedette-demo-only"
PORTS = {"lab": 8701, "office": 8702, "clearinghouse": 8703, "operator": 8704}
NAMES = {
    "lab": "Meridian Lab",
    "office": "Reviewing Office",
    "clearinghouse": "AI Cybersecurity Clearinghouse",
    "operator": "Harbour City Bank",
}


class Stopped(Exception):
    """The demo can't go on; the text says why."""


def free_port(wanted: int) -> int:
    """`wanted` where it is free on loopback, else another."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Stopped("no free port on loopback")


def run(args: list[str], *, env: dict[str, str] | None = None) -> str:
    """Run one command to its end and return what it printed."""
    done = subprocess.run(args, capture_output=True, text=True, check=False, env=env)
    if done.returncode:
        raise Stopped(f"{' '.join(args[2:6])}…: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


@dataclass
class Person:
    """Somebody with a browser: signed in by a welcome link, acting through the API."""

    name: str
    email: str
    role: str
    http: httpx.Client

    def call(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        content: bytes | None = None,
        query: dict[str, Any] | None = None,
    ) -> Any:
        """One API call; raises Stopped with the problem's own words."""
        headers = {
            "X-CSRFToken": next(
                (c.value or "" for c in self.http.cookies.jar if c.name.startswith("vedette_csrf")),
                "",
            ),
            "Referer": str(self.http.base_url),
        }
        if method == "POST":
            headers["Idempotency-Key"] = os.urandom(16).hex()
        if content is not None:
            headers["Content-Type"] = "application/octet-stream"
        answer = self.http.request(
            method, f"/api/v1{path}", json=json, content=content, params=query, headers=headers
        )
        if answer.status_code >= 400:
            raise Stopped(f"{self.name}: {method} {path}: {answer.status_code} {answer.text[:500]}")
        kind = answer.headers.get("Content-Type", "")
        return answer.json() if kind.startswith("application/json") else answer.text

    def get(self, path: str, **query: Any) -> Any:
        return self.call("GET", path, query=query or None)

    def post(self, path: str, **fields: Any) -> Any:
        return self.call("POST", path, json=fields)

    def upload(self, path: str, content: bytes, **query: str) -> Any:
        return self.call("POST", path, content=content, query=query)


@dataclass
class Instance:
    """One instance: its folder, its port, its server process, its people."""

    profile: str
    folder: Path
    port: int
    env: dict[str, str]
    server: subprocess.Popen[bytes] | None = None
    people: dict[str, Person] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def found(self, email: str) -> str:
        """Found the instance and return the first administrator's link."""
        about = ["--profile", self.profile, "--name", NAMES[self.profile], "--email", email]
        where = ["--bind", f"127.0.0.1:{self.port}", "--demo", str(self.folder)]
        out = run([*VEDETTE, "init", *about, *where], env=self.env)
        found = re.search(r"\S+/welcome/\S+", out)
        assert found, out
        return found[0]

    def start(self) -> None:
        log = (self.folder / "server.log").open("ab")
        self.server = subprocess.Popen(
            [*VEDETTE, "serve", "--instance", str(self.folder)],
            env=self.env,
            stdout=log,
            stderr=log,
        )

    def wait_until_ready(self) -> None:
        for _ in range(300):
            try:
                if httpx.get(f"{self.url}/readyz", trust_env=False).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            if self.server and self.server.poll() is not None:
                break
            time.sleep(0.2)
        raise Stopped(f"{self.profile} did not start; see {self.folder / 'server.log'}")

    def stop(self) -> None:
        if self.server and self.server.poll() is None:
            self.server.terminate()
            try:
                self.server.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.server.kill()

    def command(self, *args: str) -> str:
        return run([*VEDETTE, *args, "--instance", str(self.folder)], env=self.env)

    def invite(self, email: str, role: str, *options: str) -> str:
        """Invite as a stranger would, and return the link."""
        return self.command("invite", email, "--role", role, *options).strip()

    def join(self, link: str, name: str, email: str, role: str) -> Person:
        """Open the welcome link as a browser does, and join."""
        http = httpx.Client(base_url=self.url, timeout=120, follow_redirects=True, trust_env=False)
        page = http.get(link)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token, page.text[:500]
        form = {"csrfmiddlewaretoken": token[1], "name": name, "password": PASSWORD}
        answer = http.post(link, data=form, headers={"Referer": link})
        if answer.status_code != 200:
            raise Stopped(f"{email} could not join: {answer.status_code}")
        person = Person(name, email, role, http)
        self.people[email] = person
        return person


def stop(instances: Iterable[Instance]) -> None:
    """Stop servers, all at once: each waits for its visitors."""
    started = [instance for instance in instances if instance.server]
    for instance in started:
        assert instance.server
        instance.server.terminate()
    for instance in started:
        instance.stop()


class Clock:
    """The instances' shared, simulated clock."""

    def __init__(self, path: Path, start: datetime) -> None:
        self.path = path
        self.set(start)

    @property
    def now(self) -> datetime:
        return datetime.fromisoformat(self.path.read_text("ascii").strip())

    def set(self, time_: datetime) -> None:
        text = time_.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        partial = self.path.with_suffix(".partial")
        partial.write_text(text + "\n", "ascii")
        partial.replace(self.path)

    def forward(self, **step: float) -> None:
        self.set(self.now + timedelta(**step))


class Stage:
    """Four instances and their clock."""

    def __init__(self, out: Path, start: datetime) -> None:
        self.out = out
        out.mkdir(parents=True, exist_ok=True)
        self.clock = Clock(out / "clock", start)
        env = {**os.environ, "VEDETTE_CLOCK": str(out / "clock")}
        self.instances = {
            profile: Instance(profile, out / "instances" / profile, free_port(port), env)
            for profile, port in PORTS.items()
        }

    def __getattr__(self, name: str) -> Instance:
        try:
            return self.instances[name]
        except KeyError:
            raise AttributeError(name) from None

    def raise_curtain(self, administrators: dict[str, str]) -> dict[str, str]:
        """Found and start all four; return each administrator's link."""
        found = self.together(
            lambda item: self.instances[item[0]].found(item[1]), administrators.items()
        )
        links = dict(zip(administrators, found, strict=True))
        for instance in self.instances.values():
            instance.start()
        for instance in self.instances.values():
            instance.wait_until_ready()
        return links

    def introduce(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Exchange cards between instances, both ways."""
        cards = {profile: self.out / f"{profile}.card.json" for profile in self.instances}

        def write(profile: str) -> None:
            cards[profile].write_text(self.instances[profile].command("exchange", "card"))

        def add(pair: tuple[str, str]) -> None:
            self.instances[pair[0]].command("exchange", "peer", "add", str(cards[pair[1]]))

        self.together(write, cards)
        self.together(add, [side for one, two in pairs for side in ((one, two), (two, one))])

    def together(self, work: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
        """Do the same for several items, a few at once."""
        with ThreadPoolExecutor(3) as pool:
            return list(pool.map(work, items))

    def until(self, what: str, check: Any, *, seconds: float = 120, pause: float = 0.25) -> Any:
        """Wait until `check()` gives something; the workers and messages take their time.

        The story's clock moves on a little meanwhile, so that what is to be tried again is.
        """
        begun = time.monotonic()
        moved = begun
        while time.monotonic() < begun + seconds:
            found = check()
            if found:
                return found
            if time.monotonic() > moved + 5:
                self.clock.forward(seconds=10)
                moved = time.monotonic()
            time.sleep(pause)
        raise Stopped(f"waited {seconds:.0f} s in vain: {what}")

    def fall_curtain(self) -> None:
        stop(self.instances.values())

    def remember(self) -> None:
        """Write what `demo/serve.py` needs to open the portals again."""
        (self.out / "stage.json").write_text(
            json.dumps(
                {
                    profile: {
                        "name": NAMES[profile],
                        "folder": str(instance.folder.relative_to(self.out)),
                        "port": instance.port,
                        "people": [
                            {"name": p.name, "email": p.email, "role": p.role}
                            for p in instance.people.values()
                        ],
                    }
                    for profile, instance in self.instances.items()
                },
                indent=1,
            )
            + "\n"
        )
