"""Play the whole story: `python demo/run.py --out demo-out`.

Four instances are founded in OUT/instances, and everything goes through their public surfaces.
Exit status 0, or 1 with the one line that says what did not hold, and where to look.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from demo import clearing, engagement, operators
from demo.cast import MODEL, PARTNER, Cast, enter
from demo.stage import VEDETTE, Stage, Stopped, run
from vedette.kernel.errors import VedetteError
from vedette.runner.sandbox import require_bubblewrap

START = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


class Account:
    """The short account of what happened, with the time that each step took."""

    def __init__(self) -> None:
        self.begun = self.last = time.monotonic()
        self.steps: list[dict[str, Any]] = []

    def tell(self, step: str, line: str) -> None:
        now = time.monotonic()
        self.steps.append({"step": step, "seconds": round(now - self.last, 1), "line": line})
        print(f"{now - self.begun:6.1f} s  {line}", flush=True)
        self.last = now


def play(stage: Stage, told: Account) -> None:
    """All chapters, in the order of the story's own time."""
    cast = enter(stage)
    stage.clock.forward(hours=1)
    told.tell("found", "four instances founded, keys exchanged, 15 people joined")
    plan = engagement.plan(stage, cast)
    told.tell(
        "plan",
        f"{MODEL}: partner release {plan['partner_release'][:10]}, public release"
        f" {plan['public_release'][:10]}; dossier filled, three acts decided apart",
    )
    stage.clock.forward(hours=1)
    acts = engagement.offer(stage, cast)
    told.tell(
        "offer",
        f"access window and trusted partner ({PARTNER}) offered and accepted;"
        " determination request: not now",
    )
    stage.clock.forward(hours=3)
    engagement.terms(stage, cast, acts["window"])
    told.tell("terms", "terms proposed, redlined by the office, signed by both sides")
    stage.clock.forward(days=2)
    clearing.import_public_record(cast)
    operators.take_stock(stage, cast)
    unwarned = operators.naive(stage, cast)
    told.tell(
        "inventories",
        f"three inventories taken; by the public record alone {unwarned}"
        " operators are warned of ujson 5.1.0",
    )
    with engagement.served_model() as address:
        session = engagement.open_window(stage, cast, acts["window"], address)
        told.tell("window", "the window opened by itself; one named person has a session")
        done = engagement.run(stage, cast, session)
        told.tell(
            "run",
            f"{done['progress']['done']} samples run through Inspect and the lab's"
            " access proxy, verified in fresh sandboxes",
        )
        made = engagement.assess(stage, cast, done["id"])
        told.tell(
            "assess",
            f"assessment shared; determination: {made['determination']['document']['outcome']}",
        )
        stage.clock.forward(hours=1)
        engagement.review(stage, cast, acts["window"])
        told.tell(
            "review", "two offices read the dossier, asked the lab, and one disagrees on record"
        )
        stage.clock.forward(hours=1)
        reported = clearing.report(stage, cast, done["id"])
        told.tell(
            "findings",
            f"{reported['sent']} findings reported and executed anew,"
            " one recognised as a duplicate",
        )
        stage.clock.forward(hours=1)
        cases = clearing.coordinate(stage, cast)
        told.tell("cases", "cases opened, the vendor's fix delivered under embargo and verified")
        advisories = clearing.publish(stage, cast, cases)
        told.tell("advisories", "two advisories published, one corrects PYSEC-2022-25")
        notices = operators.told(stage, cast)
        answers = operators.answer(stage, cast, notices)
        told.tell("operators", "; ".join(f"{name}: {what}" for name, what in answers.items()))
        stage.clock.forward(hours=1)
        meters = engagement.close_window(stage, cast, acts["window"], session)
    after = cast.lead.get(f"/plans/{plan['id']}")
    dates = ("partner_release", "public_release")
    if any(after[name] != plan[name] for name in dates):
        raise Stopped("a release date has moved")
    told.tell(
        "close",
        f"the window closed by itself; {meters['lab']['calls']} calls counted alike"
        " on both sides; the release dates stand where they stood",
    )
    keep(stage, cast, made["assessment"]["id"], cases, names_of(cast, acts, cases, advisories))
    operators.lead_time(stage.out, notices, answers)
    told.tell("keep", f"everything is in {stage.out}")


def names_of(
    cast: Cast, acts: dict[str, str], cases: dict[str, str], advisories: dict[str, str]
) -> dict[str, str]:
    """What ids are called, by those who may read them: a ledger holds no content."""
    names = {
        acts["window"]: "access window",
        acts["partner"]: f"trusted partner {PARTNER}",
        **{id_: f"{name} case" for name, id_ in cases.items()},
        **{id_: f"{name} advisory" for name, id_ in advisories.items()},
    }
    for person in (cast.lab_admin, cast.office_admin, cast.clearinghouse_admin):
        for message in person.get("/messages", limit=500):
            names[message["id"]] = message["type"]
    for finding in cast.coordinator.get("/findings")["items"]:
        names[finding["id"]] = finding["title"]
    for run_ in cast.evaluator.get("/runs"):
        names[run_["id"]] = f"suite {run_['suite']}"
    return names


def keep(
    stage: Stage, cast: Cast, assessment: str, cases: dict[str, str], names: dict[str, str]
) -> None:
    """Write what the demo leaves."""
    out = stage.out
    page = cast.officer.get(f"/assessments/{assessment}/report")
    (out / "report.html").write_text(page, encoding="utf-8")
    exports = [out / "ledgers" / profile for profile in stage.instances]

    def publish(what: tuple[str, str]) -> None:
        form, case = what
        folder = str(out / "advisories" / form)
        stage.clearinghouse.command("publish", "--format", form, "--case", case, "--out", folder)

    def export(profile: str) -> None:
        folder = str(out / "ledgers" / profile)
        stage.instances[profile].command("ledger", "export", folder)
        run([*VEDETTE, "ledger", "verify", folder])

    stage.together(publish, [(form, case) for form in ("csaf", "osv") for case in cases.values()])
    stage.together(export, stage.instances)
    (out / "names.json").write_text(json.dumps(names, indent=1) + "\n", encoding="utf-8")
    told = ["--names", str(out / "names.json"), "--heading", "A head start, from four ledgers"]
    run([*VEDETTE, "ledger", "timeline", *map(str, exports), "--out", str(out), *told])
    stage.remember()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("demo-out"))
    out = parser.parse_args().out.resolve()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    told, stage = Account(), None
    try:
        require_bubblewrap()
        if out.exists():
            if any(out.iterdir()) and not (out / "clock").exists():
                raise Stopped(f"{out} is not empty and no demo's; name another folder with --out")
            shutil.rmtree(out)
        stage = Stage(out, START)
        play(stage, told)
        (out / "steps.json").write_text(json.dumps(told.steps, indent=1) + "\n")
    except (Stopped, VedetteError, subprocess.SubprocessError) as error:
        print(f"demo: {error}", file=sys.stderr)
        print(f"demo: the servers' logs are in {out}/instances/*/server.log", file=sys.stderr)
        return getattr(error, "exit_code", 1)
    finally:
        if stage is not None:
            stage.fall_curtain()
    print(f"""
Look at:
  {out}/report.html        the assessment, with its plot
  {out}/timeline.html      the whole story, from four ledgers
  {out}/lead-time.csv      what each operator gained
  {out}/advisories/        CSAF 2.0 and OSV
  {out}/ledgers/           vedette ledger verify {out}/ledgers/lab
Walk through it in the portals: make serve""")
    return 0


if __name__ == "__main__":
    sys.exit(main())
