"""What a run uncovered, reported: the hand-off from the bench to the clearinghouse."""

from __future__ import annotations

from typing import Any

from vedette.bench.disclosed import digest_of, disclosed_item
from vedette.bench.suites import Suite
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
    suite only items that an exposure decision discloses are reported, each to the clearinghouse
    with the build that the decision names, so that it is reproduced; the lab's copy has none.
    """
    only(Profile.OFFICE, actor)
    with reading(actor, Permission.FINDING_REPORT):
        run = find_run(run_id)
        result = result_of(run)
        lab = run.act.peer.name if run.act else ""
        named = _disclosed(run) if run.items else {}
    assessed = {s["name"] for s in run.subjects if s["kind"] != "reference"}
    with opened(run.suite, run.suite_digest, sorted(named)) as (suite, _):
        builds = _builds(suite, named)
        fields = [
            (crash_fields(suite, crash, digest), build)
            for crash in result.crashes
            if assessed & set(crash["subjects"]) and crash["item"] in builds
            for digest, build in (builds[crash["item"]],)
        ]
    return [report_finding(actor, each, copy_to=lab, build=build) for each, build in fields]


def _builds(suite: Suite, named: dict[int, str]) -> dict[str, tuple[str, Any]]:
    """The items whose crashes are reported; of a sealed suite with what its decisions let cross."""
    if not named:
        return {item.id: ("", None) for item in suite.items}
    found = {}
    for number, item in zip(sorted(named), suite.items, strict=True):
        build = disclosed_item(suite, item)
        if digest_of(build) != named[number]:
            raise Refused(f"item {number} is not what its decision names", kept="the run")
        found[item.id] = (named[number], build)
    return found


def _disclosed(run: Run) -> dict[int, str]:
    decided = exposures.disclosed(row_of(run.suite, run.suite_digest))
    found = {number: build for number, build in decided.items() if number in run.items}
    if not found:
        raise Refused(
            "this suite's items are not public, and no exposure decision discloses one of this run",
            kept="the run and its crashes",
            next_step="decide on an item of the run first; it is used up with that",
        )
    return found
