"""Independent reproduction: a finding's recipe is executed here, whatever its finder says.

Rules:
- Only an execution of ours makes a finding reproduced; text never does.
- A finding without a recipe stays received, and one is asked for.
- Where this machine can't execute (bubblewrap, a compiler or a source release is missing) the
  finding is kept as it is and tried again later.
- The job is idempotent: what it showed, the new state, the duplicate's reasons and the answer to
  the reporter enter in one transaction; killed before it, it runs again; after it, it does nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.db import transaction

from vedette.bench.disclosed import open_disclosed
from vedette.bench.suites import Suite
from vedette.clearinghouse.machine import Party
from vedette.clearinghouse.states import FINDING, FindingState
from vedette.kernel.errors import BadInput, MissingPart, OurFault, VedetteError
from vedette.services import deconflict
from vedette.services.acting import Doing, act, instance_actor
from vedette.services.finding_outcomes import reply
from vedette.services.here import here
from vedette.services.jobs import job, schedule
from vedette.store.models import DisclosedBuild, Finding, Reproduction
from vedette.store.tenancy import SYSTEM, scoped

log = logging.getLogger("vedette.reproduction")
ITEM_KINDS = ("suite-item", "disclosed-item")
AGAIN = (FindingState.RECEIVED, FindingState.NOT_REPRODUCED)
TRY_AGAIN = timedelta(hours=1)
NO_RECIPE = (
    "not executed: the report holds no recipe; send one (kind pypi or suite-item) so that it can"
    " be reproduced here"
)


@job(queue="long")
def reproduce_finding(finding_id: str) -> None:
    """Execute a finding's recipe in the sandbox, record what it showed, and deconflict it."""
    with transaction.atomic(), scoped(SYSTEM):
        row = Finding.objects.filter(id=finding_id).first()
    if row is None or row.state not in AGAIN:
        return
    if not row.recipe:
        _settle(finding_id, None, {}, NO_RECIPE)
        return
    with transaction.atomic(), scoped(SYSTEM):
        build = build_of(row)
    try:
        evidence = execute(row.recipe, build)
    except (MissingPart, OurFault) as error:
        _later(finding_id, error)
    except VedetteError as error:
        _settle(finding_id, False, {}, f"could not be executed: {error.what}")
    else:
        _settle(finding_id, evidence["reproduced"], evidence, evidence["reason"])


def execute(recipe: Mapping[str, Any], build: Any = None) -> dict[str, Any]:
    """Run a recipe on fresh builds in fresh sandboxes; returns the evidence as JSON."""
    from vedette.runner.reproduce import reproduce

    with suites_of(recipe, build) as suites:
        return reproduce(recipe, cache_dir=here().cache_dir, suites=suites).to_json()


def build_of(row: Finding) -> Any:
    """The disclosed item's build that came with a finding, None without one."""
    found = DisclosedBuild.objects.filter(finding=row).first()
    return None if found is None else found.document


@contextmanager
def suites_of(recipe: Mapping[str, Any], build: Any) -> Iterator[list[Suite]]:
    """The suites that a recipe needs besides the shipped ones, for as long as this lasts."""
    if recipe.get("kind") != "disclosed-item":
        yield []
    elif build is None:
        raise BadInput("recipe: build: it did not come with the finding")
    else:
        with TemporaryDirectory(prefix="disclosed-") as folder:
            yield [open_disclosed(build, Path(folder), str(recipe.get("suite")))]


def _settle(
    finding_id: str, reproduced: bool | None, evidence: dict[str, Any], reason: str
) -> None:
    """Enter what an execution showed; None where there was none."""
    with act(instance_actor(), None) as doing:
        row = Finding.objects.select_for_update().filter(id=finding_id).first()
        if row is None or row.state not in AGAIN:
            return
        row.why = [reason]
        if reproduced is not None:
            _record(doing, row, reproduced, evidence, reason)
        if row.state != FindingState.NOT_REPRODUCED:
            _find_duplicate(doing, row)
        row.save()
        reply(doing, row)


def _record(
    doing: Doing, row: Finding, reproduced: bool, evidence: dict[str, Any], reason: str
) -> None:
    Reproduction(
        org_id=doing.here.org,
        finding=row,
        reproduced=reproduced,
        reason=reason[:1_000],
        evidence=evidence,
        at=doing.now,
    ).save()
    if not reproduced and row.state == FindingState.NOT_REPRODUCED:
        return
    trigger = "reproduce" if reproduced else "fail to reproduce"
    move = FINDING.step(row.state, trigger, Party.EXECUTION)
    row.state, row.crash = move.target, deconflict.crash_line(evidence) if reproduced else ""
    doing.record(move.event, row.id, {"evidence": evidence, "reason": reason}, marking=row.marking)


def _find_duplicate(doing: Doing, row: Finding) -> None:
    original, why = deconflict.same_as(row)
    row.why = [*row.why, *why]
    if original is not None:
        mark_duplicate(doing, row, original, Party.EXECUTION)


def mark_duplicate(doing: Doing, row: Finding, original: Finding, party: Party) -> None:
    """Make `row` a duplicate of `original`; it joins the original's case. The caller saves it."""
    move = FINDING.step(row.state, "mark duplicate", party)
    row.state, row.duplicate_of, row.case = move.target, original, original.case
    doing.record(move.event, row.id, {"of": original.id, "why": list(row.why)}, marking=row.marking)


def _later(finding_id: str, error: VedetteError) -> None:
    with act(instance_actor(), None) as doing:
        row = Finding.objects.select_for_update().filter(id=finding_id).first()
        if row is None or row.state not in AGAIN:
            return
        row.why = [f"not executed yet: {error.what}"]
        row.save(update_fields=["why"])
        due = doing.now + TRY_AGAIN
        schedule(f"reproduce {finding_id}", reproduce_finding, due, finding_id=finding_id)
    log.warning("finding %s is tried again later: %s", finding_id, error)
