"""Kill -9 at any moment: what was acknowledged stays, what is repeated happens once."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.durability.houses import House, house

from vedette.runner import guard
from vedette.site import worker as worker_process

RELEASE = "2031-01-15T00:00:00Z"
DELAYS = (0.0, 0.02, 0.05)


def plan(model: str) -> dict[str, str]:
    return {"model": model, "partner_release": RELEASE}


def until(what: str, check: Callable[[], Any], seconds: float = 20) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := check():
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds:.0f} s in vain: {what}")


def test_a_repeated_act_happens_once_whenever_the_server_dies(tmp_path: Path) -> None:
    with house("lab", "release-lead", tmp_path) as lab:
        for number, delay in enumerate(DELAYS):
            model, key = f"model-{number}", f"key-{number}"
            with ThreadPoolExecutor(1) as pool:
                first = pool.submit(lab.post, "/plans", plan(model), key)
                time.sleep(delay + random.uniform(0, 0.004))
                lab.kill()
            lab.start()
            again = lab.post("/plans", plan(model), key)
            assert again.status_code == 200, again.text
            if first.exception() is None:
                assert first.result().json() == again.json(), "the first reply, again"
            assert [p["model"] for p in lab.get("/plans")].count(model) == 1
            assert len(lab.events("readiness:plan:made")) == number + 1
        lab.verify()


def test_every_acknowledged_act_of_many_survives(tmp_path: Path) -> None:
    acknowledged: dict[str, str] = {}
    refused: list[str] = []
    dead = threading.Event()

    def act(person: int, lab: House) -> None:
        for turn in range(100):
            model = f"model-{person}-{turn}"
            try:
                answer = lab.post("/plans", plan(model), model)
            except httpx.HTTPError:
                if dead.is_set():
                    return
                raise
            if answer.is_success:
                acknowledged[model] = answer.json()["id"]
            else:
                refused.append(f"{answer.status_code} {answer.text[:200]}")

    with house("lab", "release-lead", tmp_path) as lab:
        with ThreadPoolExecutor(20) as pool:
            running = [pool.submit(act, person, lab) for person in range(20)]
            until("thirty acts", lambda: len(acknowledged) >= 30)
            dead.set()
            lab.kill()
        for each in running:
            each.result()
        assert not refused
        lab.start()
        made = lab.events("readiness:plan:made")
        assert len(set(made)) == len(made)
        assert set(acknowledged.values()) <= set(made)
        for identifier in acknowledged.values():
            assert lab.get(f"/plans/{identifier}")["id"] == identifier
        lab.verify()


@pytest.mark.skipif(
    not (shutil.which("bwrap") and shutil.which("gcc")),
    reason="running a suite needs bubblewrap and gcc",
)
def test_a_run_goes_on_after_its_worker_died_and_repeats_no_sample(tmp_path: Path) -> None:
    wanted = {
        "suite": "daemons",
        "references": ["null", "random", "oracle"],
        "budget": {"executions": 64},
    }
    with house("office", "evaluator", tmp_path) as office:
        run = office.post("/runs", wanted, "run").json()
        folder = office.instance.folder / "files" / "runs" / run["id"]
        samples = folder / "samples.jsonl"

        def written() -> int:
            return samples.read_bytes().count(b"\n") if samples.exists() else 0

        until("a first sample", written)
        worker = worker_of(office)
        os.kill(worker, signal.SIGKILL)
        office.kill()
        until("the end of what ran in its sandboxes", lambda: not sandboxes_of(worker))
        before = written()
        assert before < run["progress"]["total"], "killed too late to show anything"
        office.start()
        until("the run's end", lambda: office.get(f"/runs/{run['id']}")["state"] == "finished")
        rows = [json.loads(line) for line in samples.read_text("utf-8").splitlines()]
        seen = Counter((row["subject"], row["item"], row["trial"]) for row in rows)
        assert len(seen) == run["progress"]["total"]
        assert set(seen.values()) == {1}
        assert office.events("bench:run:finished") == [run["id"]]
        assert office.events("bench:run:started") == [run["id"]]
        office.verify()


def worker_of(house: House) -> int:
    """The process of the worker that runs beside the server."""
    assert house.instance.server is not None
    server = house.instance.server.pid
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    for pid in children:
        if Path(f"/proc/{pid}/comm").read_text().strip() == worker_process.NAME:
            return int(pid)
    raise AssertionError("no worker beside the server")


def sandboxes_of(process: int) -> list[str]:
    """The sandboxes that a process started and that are still there."""
    mark = f"{guard.NAME}_{process}_".encode()
    return [
        path.parent.name
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if mark in read_if_there(path)
    ]


def read_if_there(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
