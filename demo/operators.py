"""Chapters of the operators: inventories, notices, answers, and what each of them gained."""

from __future__ import annotations

import csv
import sysconfig
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from demo.cast import PLANT, WATER, Cast
from demo.engagement import PARTNER_RELEASE, PUBLIC_RELEASE
from demo.stage import NAMES, VEDETTE, Person, Stage, Stopped, run

DATA = Path(__file__).parent / "data"
BANK_INVENTORY = "payment servers"
COLUMNS = (
    *("operator", "advisory", "told", "row", "deadline", "answer"),
    *("days_before_partner_release", "days_before_public_release"),
)


def sbom(stage: Stage, ujson: str) -> bytes:
    """The running machine's own packages, and the version of ujson that the bank runs."""
    out = stage.out / f"bank-ujson-{ujson}.cdx.json"
    what = ["--python", sysconfig.get_paths()["purelib"], "--add", f"pkg:pypi/ujson@{ujson}"]
    run([*VEDETTE, "inventory", *what, "--out", str(out)])
    return out.read_bytes()


def take_stock(stage: Stage, cast: Cast) -> None:
    """The bank's inventory stays at home; the two smaller ones keep theirs at the clearinghouse."""
    cast.operator_admin.upload(
        "/inventories/file", sbom(stage, "5.1.0"), name=BANK_INVENTORY, exposed="true"
    )
    spdx = (DATA / "waterworks.spdx.json").read_bytes()
    cast.water.upload("/inventories/file", spdx, name="control room")
    assets = (DATA / "plant-assets.csv").read_bytes()
    cast.plant.upload("/inventories/file", assets, name="Eastfield assets")


def naive(stage: Stage, cast: Cast) -> int:
    """With the public record alone nobody is told of ujson; return the notices of all three."""
    cast.coordinator.post("/index")
    stage.until("the index to reach the bank", lambda: cast.operator_admin.get("/index"))
    return sum(
        len(open_notices(person)) for person in (cast.operator_admin, cast.water, cast.plant)
    )


def open_notices(person: Person) -> list[dict[str, Any]]:
    return list(person.get("/notices", only_open="true")["items"])


def told(stage: Stage, cast: Cast) -> dict[str, list[dict[str, Any]]]:
    """After the advisories: each operator's notices, most urgent first."""
    wanted = {"bank": 1, "water": 2, "plant": 1}
    people = {"bank": cast.operator_admin, "water": cast.water, "plant": cast.plant}
    found = {}
    for name, person in people.items():
        found[name] = stage.until(
            f"the notices of the {name}",
            lambda p=person, n=wanted[name]: _at_least(open_notices(p), n),
        )
    return found


def _at_least(rows: list[dict[str, Any]], number: int) -> list[dict[str, Any]] | None:
    return rows if len(rows) >= number else None


def answer(stage: Stage, cast: Cast, notices: dict[str, list[dict[str, Any]]]) -> dict[str, str]:
    """One patches and is verified, one defers with a control and an expiry, one is silent."""
    stage.clock.forward(days=1)
    bank = cast.operator_admin
    patched = next(n for n in notices["bank"] if "ujson" in str(n["component"]))
    bank.post(f"/notices/{patched['id']}/answer", state="patched")
    bank.upload("/inventories/file", sbom(stage, "5.2.0"), name=BANK_INVENTORY, exposed="true")
    stage.until("the patch to be verified", lambda: verified(bank, patched["id"]))
    waits = next(n for n in notices["water"] if "ujson" not in str(n["component"]))
    cast.water.post(
        f"/notices/{waits['id']}/answer",
        state="deferred",
        control="Only the control room's own switch port reaches the gateway until the pump"
        " overhaul.",
        expires=(stage.clock.now + timedelta(days=60)).isoformat(),
    )
    return {
        "bank": "patched and verified",
        "water": "deferred with a compensating control",
        "plant": "has not answered",
    }


def verified(person: Person, notice_id: str) -> bool:
    state = person.get(f"/notices/{notice_id}")["state"]
    if state == "patched":
        try:
            person.post(f"/notices/{notice_id}/verify")
        except Stopped:  # the new inventory is still being matched
            return False
        state = person.get(f"/notices/{notice_id}")["state"]
    return bool(state == "verified")


def lead_time(out: Path, notices: dict[str, list[dict[str, Any]]], answers: dict[str, str]) -> None:
    """What each operator gained before the partner release and before the public release."""
    names = {"bank": NAMES["operator"], "water": WATER, "plant": PLANT}
    with (out / "lead-time.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        for key, rows in notices.items():
            for notice in rows:
                sent = datetime.fromisoformat(notice["sent_at"])
                facts = (
                    *(names[key], notice["advisory"], notice["sent_at"], notice["row"]),
                    *(notice["deadline"] or "next upgrade", answers[key]),
                    *(days(PARTNER_RELEASE - sent), days(PUBLIC_RELEASE - sent)),
                )
                table.writerow(dict(zip(COLUMNS, facts, strict=True)))


def days(gained: timedelta) -> str:
    return f"{gained.total_seconds() / 86400:.1f}"
