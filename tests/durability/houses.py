"""An instance as processes of its own, to be killed without warning and started again."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from demo.stage import VEDETTE, Instance, Person, free_port


@dataclass
class House:
    """One instance whose server and worker are a process group, and its signed-in person."""

    instance: Instance
    person: Person

    def start(self) -> None:
        start(self.instance)

    def kill(self) -> None:
        """Kill server and worker at once, as a power cut would."""
        kill(self.instance)

    def client(self) -> httpx.Client:
        """A client with the person's session and no connection from before a kill."""
        return httpx.Client(
            base_url=self.instance.url,
            cookies=self.person.http.cookies,
            timeout=15,
            trust_env=False,
        )

    def post(self, path: str, body: Any, key: str) -> httpx.Response:
        """One POST under an idempotency key. Raises httpx.HTTPError when the server dies."""
        with self.client() as client:
            token = next(c.value or "" for c in client.cookies.jar if "csrf" in c.name)
            headers = {
                "X-CSRFToken": token,
                "Referer": self.instance.url,
                "Idempotency-Key": key,
            }
            return client.post(f"/api/v1{path}", json=body, headers=headers)

    def get(self, path: str) -> Any:
        with self.client() as client:
            answer = client.get(f"/api/v1{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def events(self, event: str) -> list[str]:
        """What the ledger says `event` happened to, oldest first, read from the file itself."""
        path = self.instance.folder / "db.sqlite3"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            rows = db.execute(
                "SELECT object_id FROM store_ledgerentry WHERE event = ? ORDER BY seq", (event,)
            ).fetchall()
        return [row[0] for row in rows]

    def verify(self) -> None:
        """Verify the ledger by the command; it exits 0 where every entry holds."""
        args = [*VEDETTE, "ledger", "verify", "--instance", str(self.instance.folder)]
        done = subprocess.run(args, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr + done.stdout


def start(instance: Instance) -> None:
    with (instance.folder / "server.log").open("ab") as log:
        instance.server = subprocess.Popen(
            [*VEDETTE, "serve", "--instance", str(instance.folder)],
            env=instance.env,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    instance.wait_until_ready()


def kill(instance: Instance) -> None:
    if instance.server is not None and instance.server.poll() is None:
        os.killpg(instance.server.pid, signal.SIGKILL)
        instance.server.wait(timeout=10)


@contextmanager
def house(profile: str, role: str, folder: Path) -> Iterator[House]:
    """Found an instance, start it, have one person join; kill what is left at the end."""
    instance = Instance(profile, folder / profile, free_port(0), dict(os.environ))
    instance.found("admin@test.example")
    try:
        start(instance)
        email = f"{role}@test.example"
        person = instance.join(instance.invite(email, role), "A Person", email, role)
        with closing(person.http):
            yield House(instance, person)
    finally:
        kill(instance)
