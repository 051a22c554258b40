"""Kill -9 of either side while messages and a file cross: everything arrives, each once."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from demo.stage import VEDETTE, Instance, free_port, run
from tests.durability.houses import kill, start
from tests.durability.test_kill import until

MIB = 1024 * 1024
OFFERS, SIZE = 500, 48 * MIB
PATIENCE = 240
SIDES = ("lab", "office")


def vedette(instance: Instance, *arguments: str) -> str:
    return run([*VEDETTE, *arguments, "--instance", str(instance.folder)], env=instance.env)


@contextmanager
def pair(folder: Path) -> Iterator[tuple[Instance, Instance]]:
    """A lab and an office that know each other, neither of them served yet."""
    lab, office = (Instance(p, folder / p, free_port(0), dict(os.environ)) for p in SIDES)
    for instance in (lab, office):
        instance.found("admin@test.example")
        (folder / f"{instance.profile}.card").write_text(vedette(instance, "exchange", "card"))
    vedette(lab, "exchange", "peer", "add", str(folder / "office.card"))
    vedette(office, "exchange", "peer", "add", str(folder / "lab.card"))
    try:
        yield lab, office
    finally:
        kill(lab)
        kill(office)


def column(instance: Instance, query: str) -> list[str]:
    path = instance.folder / "db.sqlite3"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        return [str(row[0]) for row in database.execute(query)]


def entered(instance: Instance, event: str) -> Counter[str]:
    """How often the ledger says `event` of each message."""
    query = f"SELECT message_id FROM store_ledgerentry WHERE event = '{event}'"
    return Counter(column(instance, query))


def chunks(office: Instance) -> int:
    return sum(1 for path in office.folder.glob("files/attachments/*/*") if path.suffix == "")


def die(instance: Instance, count: Callable[[], int], whole: int) -> None:
    """Kill an instance while something crosses, and start it again."""
    before = count()
    until("something crosses", lambda: count() > before or count() >= whole, PATIENCE)
    assert count() < whole, "killed too late to show anything"
    kill(instance)
    start(instance)


@pytest.mark.long
def test_everything_arrives_once_whichever_side_is_killed(tmp_path: Path) -> None:
    with pair(tmp_path) as (lab, office):
        offers = [sys.executable, "-m", "tests.durability.offers", str(lab.folder), str(OFFERS)]
        run(offers, env=lab.env)
        sent = entered(lab, "message:message:sent")
        assert len(sent) == OFFERS

        def taken() -> int:
            return len(entered(office, "message:message:accepted"))

        def settled() -> int:
            return len(entered(lab, "message:message:delivered"))

        start(office)
        start(lab)
        for victim in (office, lab):
            die(victim, taken, OFFERS)
            # what waits for its hour is asked for now
            vedette(lab, "exchange", "retry")
        until("all messages", lambda: settled() == OFFERS, PATIENCE)

        content = random.Random(4).randbytes(SIZE)
        (tmp_path / "large.bin").write_bytes(content)
        vedette(
            lab, "exchange", "attach", str(tmp_path / "large.bin"), "--peer", "Reviewing Office"
        )
        for victim in (office, lab):
            die(victim, lambda: chunks(office), SIZE // MIB)
            vedette(lab, "exchange", "retry")

        def states() -> list[str]:
            return column(lab, "SELECT state FROM store_attachment")

        until("the file", lambda: states() == ["sent"], PATIENCE)
        sent = entered(lab, "message:message:sent")
        assert len(sent) == OFFERS + 1
        assert entered(lab, "message:message:delivered") == sent
        assert entered(office, "message:message:accepted") == sent
        assert set(sent.values()) == {1}
        assert len(entered(office, "message:attachment:taken")) == 1
        (listed,) = json.loads(vedette(office, "exchange", "attachments", "--json"))
        vedette(office, "exchange", "save", listed["id"], str(tmp_path / "saved.bin"))
        assert (tmp_path / "saved.bin").read_bytes() == content
        acts = column(office, "SELECT id FROM store_act")
        assert len(acts) == len(set(acts)) == OFFERS
        for instance in (lab, office):
            vedette(instance, "ledger", "verify")
