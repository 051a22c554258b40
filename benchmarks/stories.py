"""What fills an instance before it is measured: `python -m benchmarks.stories NAME FOLDER …`.

Everything goes through services, as the tests' stories do; each prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import datetime
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from msgspec.structs import astuple

from vedette.site.boot import boot

boot(Path(sys.argv[2]))

from django.db import connection, transaction  # noqa: E402
from tests.services import coordination, flow  # noqa: E402
from tests.services.advisories import osv, publish, sbom  # noqa: E402
from tests.services.running import run_jobs  # noqa: E402
from tests.web.visitors import visitor  # noqa: E402

from benchmarks.databases import bare_insert  # noqa: E402
from benchmarks.result import in_turns, per_second, timed  # noqa: E402
from vedette.formats.detect import read_advisory  # noqa: E402
from vedette.kernel.bounds import from_text  # noqa: E402
from vedette.kernel.canonical import digest  # noqa: E402
from vedette.kernel.clock import FileClock, format_time  # noqa: E402
from vedette.kernel.events import Event  # noqa: E402
from vedette.kernel.ids import new_id  # noqa: E402
from vedette.matching.changes import code  # noqa: E402
from vedette.matching.index import Index  # noqa: E402
from vedette.matching.model import Component  # noqa: E402
from vedette.services import (  # noqa: E402
    access,
    cases,
    catalogue,
    engagement,
    findings,
    index,
    inventories,
    ledgers,
    matches,
    rematching,
    reproduction,
    runs,
    terms,
)
from vedette.services.acting import act, instance_actor  # noqa: E402
from vedette.services.here import here  # noqa: E402
from vedette.services.testing import Fixture  # noqa: E402
from vedette.store.models import (  # noqa: E402
    HeldName,
    Inventory,
    Organisation,
    Peer,
)
from vedette.store.tenancy import SYSTEM, scoped  # noqa: E402

BEFORE = "the index before"
HANDLERS = catalogue.__all__


class MovableClock(FileClock):
    """The instance's clock file, which a story may move."""

    @property
    def time(self) -> datetime:
        return self.now()

    @time.setter
    def time(self, value: datetime) -> None:
        self.path.write_text(format_time(value) + "\n", "ascii")


def fixture() -> Fixture:
    clock: Any = MovableClock(here().folder / "clock")
    return Fixture(here(), clock)


def cookie(made: Fixture, role: str, org: str = "") -> str:
    """The session of somebody signed in."""
    jar = visitor(made, role, org).cookies
    return "; ".join(f"{name}={morsel.value}" for name, morsel in jar.items())


def page(name: str, path: str, session: str) -> dict[str, str]:
    return {"name": name, "path": path, "cookie": session}


def window(address: str) -> dict[str, str]:
    """A lab with an open window and a session to the model at `address`."""
    story = flow.LabStory.start(fixture())
    access.add_endpoint(story.lead, flow.MODEL, address, "the-labs-own-key")
    act = story.accepted()
    quota = {"calls": 1_000_000, "tokens": 1_000_000_000}
    terms.sign_terms(story.lead, act, flow.PEOPLE, ("confirmation",), quota, "summary")
    story.countersign(act)
    story.accept(act)
    flow.move(story.lab, flow.OPENS)
    story.session(act)
    (message,) = story.office.received("access.opened")
    secret = story.office.keys.open(from_text(message.body["credential"], field="credential"))
    return {"credential": secret.decode(), "model": flow.MODEL}


def lab(entries: str) -> list[dict[str, str]]:
    """Overview, plan, act, and a ledger of that many entries."""
    story = flow.LabStory.start(fixture())
    plan, act = story.planned(), story.accepted()
    now = here().clock.now()
    with transaction.atomic():
        for number in range(int(entries)):
            ledgers.append(
                event=Event.READINESS_PLAN_MADE,
                org=here().org,
                role="release-lead",
                object_id=f"plan-{number % 500}",
                payload={"number": number},
                marking="TLP:AMBER",
                message_id="",
                now=now,
            )
    lead, admin = cookie(story.lab, "release-lead"), cookie(story.lab, "administrator")
    return [
        page("overview of a lab", "/", lead),
        page("plan", f"/plan/{plan}/", lead),
        page("act", f"/acts/{act}/", lead),
        page(f"ledger of {int(entries):,} entries", "/ledger/", admin),
    ]


def office() -> list[dict[str, str]]:
    """Overview and a finished run."""
    story = flow.OfficeStory.start(fixture())
    story.offer()
    run = runs.start_run(story.evaluator, "daemons", references=["null", "oracle"], seed=1)
    runs.carry_out(run.id)
    session = cookie(story.office, "evaluator")
    return [page("overview of an office", "/", session), page("run", f"/runs/{run.id}/", session)]


def clearinghouse(vendors: str, notes: str, notices: str) -> list[dict[str, str]]:
    """A case with that many vendors and notes; a hosted operator with that many notices."""
    made: Any = fixture()
    reproduction.execute = lambda recipe, build=None: coordination.shown()
    case = coordination.opened(made)
    coordinator = made.person("coordinator")
    for number in range(int(vendors)):
        org = made.organisation(f"Vendor {number}", "vendor")
        cases.invite_participant(coordinator, case.id, org.id, "vendor")
        if number % 2:
            cases.respond(made.person("vendor", org.id), case.id, "acknowledged")
    for number in range(int(notes)):
        cases.note(coordinator, case.id, f"Note {number}. " + "What we know so far. " * 12)
    org = made.organisation("Utility", "operator").id
    for number in range(int(notices)):
        publish(made, osv(f"x_vedette-{number:016}", "2.0", package=f"package-{number}"))
    index.build_index(coordinator)
    run_jobs(10_000)
    purls = [f"pkg:pypi/package-{number}@1.0" for number in range(int(notices))]
    inventories.take_inventory(made.person("operator", org), "plant", sbom(*purls), exposed=True)
    run_jobs(10_000)
    coordinating, operating = cookie(made, "coordinator"), cookie(made, "operator", org)
    return [
        page("overview of a clearinghouse", "/", coordinating),
        page(f"case, {vendors} vendors, {notes} notes", f"/cases/{case.id}/", coordinating),
        page(f"inbox of {notices} notices", "/notices/", operating),
    ]


def rates(profile: str, rounds: str, number: str) -> dict[str, Any]:
    """Acts a second on this instance, and plain inserts a second on its database."""
    made, many = fixture(), int(number)
    acts: dict[str, Any] = lab_acts(made) if profile == "lab" else clearinghouse_acts(made)
    works: dict[str, Any] = {**acts, "floor": bare_insert()}
    each = {name: per_second(many, repeated(work, many)) for name, work in works.items()}
    return {name: asdict(spread) for name, spread in in_turns(each, int(rounds)).items()}


def repeated(work: Any, number: int) -> Any:
    def do() -> None:
        for _ in range(number):
            work()

    return do


def lab_acts(made: Fixture) -> dict[str, Any]:
    story = flow.LabStory.start(made)
    offered: list[str] = []
    return {
        "offer an access window": lambda: offered.append(story.offered()),
        "withdraw it": lambda: engagement.withdraw_act(story.lead, offered.pop(), "no reason"),
    }


def clearinghouse_acts(made: Fixture) -> dict[str, Any]:
    coordinator, numbers = made.person("coordinator"), count()

    def report() -> None:
        fields = coordination.report(title=f"Overflow {next(numbers)}")
        findings.report_finding(coordinator, fields)

    return {"report a finding": report}


def offers(number: str) -> dict[str, int]:
    """Queue offers to the one peer, so many in a transaction that this takes little of the time."""
    made = fixture()
    with scoped(SYSTEM):
        peer = Peer.objects.get()
    for start in range(0, int(number), 500):
        with act(instance_actor(), None) as doing:
            for _ in range(start, min(start + 500, int(number))):
                act_id = new_id("act")
                body = {"act": act_id, "kind": "determination-request", "model": "orion-1"}
                doing.send(peer, "engagement.offered", body, thread=act_id, marking="TLP:AMBER")
    return {"queued": int(number), "at": made.clock.now().year}


def changes(folder: str, operators: str, copies: str, whole: str) -> dict[str, Any]:
    """What new advisories make of operators' inventories, and a match of some of these whole."""
    after = (Path(folder) / "index").read_bytes()
    named = json.loads((Path(folder) / "packages.json").read_bytes())
    chance, indexes = Random(5), [Index(after, digest(after))]  # noqa: S311
    table = HeldName._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql LIKE '%%(\"code\")'"
            " AND tbl_name = %s",
            [table],
        )
        ((name, made),) = cursor.fetchall()
        cursor.execute(f"DROP INDEX {name}")
        kept = [
            inventory(chance, named, int(copies), number, number < int(whole))
            for number in range(int(operators))
        ]
        cursor.execute(made)
    found, told, sizes = [], [], []
    for file in sorted((Path(folder) / "new").iterdir()):
        record = read_advisory(file.read_bytes(), file.name)
        change = rematching.Change(BEFORE, [record], indexes)
        found.append(timed(change.find))
        sizes.append(len(change.find().found))
        with transaction.atomic():
            told.append(timed(change.bring))
            transaction.set_rollback(True)
    matched = [timed(partial(matches.match_inventory, one, indexes)) for one in kept[: int(whole)]]
    touched = round(sum(sizes) / len(sizes), 1)
    return {"found": found, "told": told, "whole": matched, "touched": touched}


def inventory(
    chance: Random, named: list[tuple[str, list[str]]], copies: int, number: int, kept: bool
) -> str:
    """An operator with an inventory of 5,000 packages, as it stands after a match; its id."""
    packages = [(f"package-{n}", f"{n % 9}.{n % 17}.{n % 5}") for n in range(5_000)]
    for place in range(0, len(packages), 3):
        name, versions = chance.choice(named)
        packages[place] = (f"{name.lower()}-{chance.randrange(copies)}", chance.choice(versions))
    purls = [f"pkg:pypi/{name}@{version}" for name, version in packages]
    owner = Organisation(name=f"Operator {number}", kind="operator", added_at=here().clock.now())
    rows: dict[int, list[Any]] = {}
    for place, (purl, (name, version)) in enumerate(zip(purls, packages, strict=True)):
        component = Component(purl, name, version, purl)
        rows.setdefault(code(f"pypi/{name}"), []).append((place, astuple(component)))
    with transaction.atomic(), scoped(SYSTEM):
        owner.save()
        row = Inventory(org_id=owner.id, name="plant", taken_at=here().clock.now())
        row.data = sbom(*purls) if kept else b""
        row.matched_with = BEFORE
        row.save()
        table = HeldName._meta.db_table
        with connection.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO {table} (code, components, inventory_id, org_id)"  # noqa: S608
                " VALUES (%s, %s, %s, %s)",
                [(at, json.dumps(held), row.id, owner.id) for at, held in sorted(rows.items())],
            )
    return str(row.id)


STORIES = {
    each.__name__: each for each in (changes, offers, window, lab, office, clearinghouse, rates)
}

if __name__ == "__main__":
    told: Any = STORIES[sys.argv[1]]
    print(json.dumps(told(*sys.argv[3:])))
