"""A whole engagement between two instances that share no network: files go to and fro."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.services.flow import OPENS

from vedette.kernel.clock import format_time

ROOT = Path(__file__).resolve().parents[2]
START = "2026-12-01T09:00:00Z"


def run(folder: Path, *command: str) -> str:
    env = {**os.environ, "VEDETTE_CLOCK": str(folder / "clock"), "VEDETTE_INSTANCE": str(folder)}
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


class Houses:
    """A lab and an office in folders of their own; `turn` lets one side act."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.act, self.number = folder, "", 0
        for profile in ("lab", "office"):
            home = folder / profile
            where = ["--profile", profile, "--name", profile.title(), "--demo", str(home)]
            environment = {k: v for k, v in os.environ.items() if k != "VEDETTE_INSTANCE"}
            command = [sys.executable, "-m", "vedette", "init", *where]
            subprocess.run(command, check=True, capture_output=True, env=environment)
            (home / "clock").write_text(START + "\n", "ascii")
            card = json.loads(run(home, "-m", "vedette", "exchange", "card"))
            (folder / f"{profile}.card").write_text(json.dumps({**card, "url": ""}), "utf-8")
        for profile, other in (("lab", "office"), ("office", "lab")):
            card = str(folder / f"{other}.card")
            run(folder / profile, "-m", "vedette", "exchange", "peer", "add", card)

    def turn(self, profile: str, step: str) -> dict[str, Any]:
        came, out = (self.folder / f"{n}.jsonl" for n in (self.number, self.number + 1))
        arguments = [step, str(came), str(out), self.act or "-"]
        told = run(
            self.folder / profile,
            *("-m", "tests.services.by_file", str(self.folder / profile), *arguments),
        )
        # what the import told of the file goes back with the next one
        receipts = came.with_name(came.name + ".receipts.jsonl")
        if receipts.exists():
            receipts.rename(out.with_name(out.name + ".receipts.jsonl"))
        self.number += 1
        found: dict[str, Any] = json.loads(told.splitlines()[-1])
        self.act = self.act or found["act_id"]
        assert found["refused"] == 0
        return found

    def later(self, hour: str) -> None:
        for profile in ("lab", "office"):
            (self.folder / profile / "clock").write_text(hour + "\n", "ascii")


@pytest.mark.long
def test_a_whole_engagement_by_file_alone(tmp_path: Path) -> None:
    houses = Houses(tmp_path)
    houses.turn("lab", "offer")
    assert houses.turn("office", "accept")["act"] == "accepted"
    assert houses.turn("lab", "propose")["act"] == "accepted"
    houses.turn("office", "sign")
    assert houses.turn("lab", "nothing")["window"] == "agreed"
    houses.later(format_time(OPENS))
    assert houses.turn("office", "ask")["sessions"] == ["requested"]
    assert houses.turn("lab", "nothing")["sessions"] == ["open"]
    shared = houses.turn("office", "share")
    assert (shared["sessions"], shared["files"]) == (["open"], ["sending"])
    lab = houses.turn("lab", "nothing")
    assert (lab["assessments"], lab["files"]) == (1, ["here"])
    assert set(lab["in"]) == {"handled"}
    office = houses.turn("office", "nothing")
    assert office["files"] == ["sent"]
    assert set(office["in"]) == {"handled"}
    assert set(houses.turn("lab", "nothing")["out"]) == {"delivered"}
    for profile in ("lab", "office"):
        run(tmp_path / profile, "-m", "vedette", "ledger", "verify")
