"""What a run uncovered, reported: the hand-off from the bench to the clearinghouse."""

from __future__ import annotations

from vedette.kernel.errors import Refused
from vedette.kernel.permissions import Permission, Profile
from vedette.services import exposures
from vedette.services.acting import Actor, reading
from vedette.services.findings import crash_fields, report_finding
from vedette.services.runs import find_run, result_of
from vedette.services.sides import only
from vedette.services.suites import opened, row_of
from vedette.store.models import Finding, Run


def report_crashes(actor: Actor, run_id: str) -> list[Finding]:
    """Report what a run uncovered: to the clearinghouse, with a copy to the lab of the model.

    Crashes that reference subjects alone found (the oracle knows them) are no findings. Of a sealed
    suite only items that an exposure decision discloses are reported.
    """
    only(Profile.OFFICE, actor)
    with reading(actor, Permission.FINDING_REPORT):
        run = find_run(run_id)
        result = result_of(run)
        lab = run.act.peer.name if run.act else ""
        numbers = _disclosed(run) if run.items else []
    assessed = {s["name"] for s in run.subjects if s["kind"] != "reference"}
    with opened(run.suite, run.suite_digest, numbers) as (suite, _):
        known = {item.id for item in suite.items}
        fields = [
            crash_fields(suite, crash)
            for crash in result.crashes
            if assessed & set(crash["subjects"]) and crash["item"] in known
        ]
    return [report_finding(actor, each, copy_to=lab) for each in fields]


def _disclosed(run: Run) -> list[int]:
    found = exposures.disclosed(row_of(run.suite, run.suite_digest)) & set(run.items)
    if not found:
        raise Refused(
            "this suite's items are not public, and no exposure decision discloses one of this run",
            kept="the run and its crashes",
            next_step="decide on an item of the run first; it is used up with that",
        )
    return sorted(found)
