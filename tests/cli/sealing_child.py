"""An office's instance in a process of its own, whose keyholders unseal a suite and run it.

python -m tests.cli.sealing_child FOLDER holders|run CODES SUITE BACKUP; prints one JSON line.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from vedette.site.boot import boot

NAMES = ("Ada", "Ben")


def people() -> list[Any]:
    from vedette.services.acting import member
    from vedette.services.here import here

    return [member(here().org, name, "administrator", host=True) for name in NAMES]


def holders() -> list[str]:
    from vedette.services import keyholders

    return [keyholders.become(person) for person in people()]


def run(codes: str, suite: str, backup: str) -> dict[str, Any]:
    """Everything that can be done with a sealed suite, then a backup while it is unsealed."""
    from vedette.services import assessments, exposures, runs, two_person, unsealing
    from vedette.services.suites import suite_of, suites
    from vedette.site.backups import make_backup

    (ada, ben), (first, second) = people(), codes.split(",")
    known = {each.name: each for each in suites()}[suite]
    asked = unsealing.ask_unsealing(ada, known.id, first, "for a run")
    two_person.second(ben, asked.id, second)
    made = runs.start_run(
        ada, suite, references=["null", "random", "oracle"], budget={"executions": 9}
    )
    runs.carry_out(made.id)
    scores = assessments.make_assessment(ada, made.id).document["subjects"]
    found = exposures.decide_disclosing(ada, made.id, "example", "it is found elsewhere")
    two_person.second(ben, found.id)
    make_backup(Path(backup))
    return {
        "run": made.id,
        "state": suite_of(suite, known.digest).state,
        "solved": {s["name"]: s["score"]["solved"] for s in scores},
        "opened": len(runs.result_of(runs.run_view(ada, made.id)).samples),
    }


def main() -> None:
    boot(Path(sys.argv[1]))
    call: Any = {"holders": holders, "run": run}[sys.argv[2]]
    print(json.dumps(call(*sys.argv[3:])))


if __name__ == "__main__":
    main()
