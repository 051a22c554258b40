"""The suites of an instance: those that come with Vedette, and those that were taken in.

Rules:
- A suite is taken in by the office's own hand, certified here and now, item by item; one item that
  fails keeps the whole of it out.
- What was taken is a copy under its digest: a run finds exactly the suite that it committed to,
  whatever became of the folder, and of a later version of the same name.
- A shipped suite's name is its own, and nothing is taken above the instance's ceiling.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from vedette.bench.suites import Suite, find_suite, load_suite, shipped_suites
from vedette.kernel.errors import BadInput, NotFound, Refused
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission, Profile
from vedette.runner.certify import Certificate, document_of
from vedette.services.acting import Actor, act
from vedette.services.here import here
from vedette.services.sides import only
from vedette.store.models import TakenSuite
from vedette.store.tenancy import SYSTEM, scoped


def suites() -> list[Suite]:
    """The suites that can be run here, of each name the newest."""
    with scoped(SYSTEM):
        taken = list(TakenSuite.objects.order_by("taken_at", "id").values_list("name", "digest"))
    newest = dict(taken)
    return [
        *(find_suite(name) for name in shipped_suites()),
        *(load_suite(_folder(digest)) for digest in newest.values()),
    ]


def suite_of(name: str, digest: str) -> Suite:
    """The suite that a run was committed to. Raises NotFound where it is not here any more."""
    if name in shipped_suites():
        return find_suite(name)
    if not _folder(digest).is_dir():
        raise NotFound(f"suite {name[:60]!r} of digest {digest[:71]} is not here")
    return load_suite(_folder(digest))


def check_suite_fits(suite: Suite) -> None:
    """Raise before any work where a suite can't be taken in whatever its certificates say."""
    if here().profile != Profile.OFFICE:
        raise Refused(
            f"suites are taken in and run by an office; this is the instance of {here().profile}",
            next_step="vedette bench run, which needs no instance",
        )
    if suite.name in shipped_suites():
        raise BadInput(
            f"suite {suite.name}: a shipped suite has that name",
            next_step="give it another name in suite.toml",
        )
    if not here().ceiling.dominates(suite.marking):
        raise Refused(f"suite {suite.name}: {suite.marking} is above this instance's ceiling")


def take_suite(
    actor: Actor, suite: Suite, certificates: Sequence[Certificate], *, seed: int
) -> TakenSuite:
    """Keep a copy of a suite whose items were just certified here; the same again is the same row.

    Raises Refused, with nothing kept, where an item does not hold or has no certificate.
    """
    check_suite_fits(suite)
    only(Profile.OFFICE, actor)
    held = {each.item for each in certificates if each.holds}
    missing = [item.id for item in suite.items if item.id not in held]
    if missing:
        raise Refused(
            f"suite {suite.name}: {len(missing)} of {len(suite.items)} items do not certify",
            kept="nothing",
            next_step=f"mend {missing[0]}, then certify the suite",
        )
    with act(actor, Permission.RUN_START) as doing:
        known = TakenSuite.objects.filter(digest=suite.digest).first()
        if known is not None:
            return known
        _copy(suite)
        row = TakenSuite(
            org_id=actor.org,
            name=suite.name,
            version=suite.version,
            title=suite.title,
            digest=suite.digest,
            marking=str(suite.marking),
            certificates=document_of(suite, list(certificates), seed=seed, now=doing.now),
            taken_by=actor.name,
            taken_at=doing.now,
        )
        row.save(force_insert=True)
        said = {"name": suite.name, "version": suite.version, "digest": suite.digest}
        doing.record(Event.BENCH_SUITE_TAKEN, row.id, said, marking=row.marking)
        return row


def _folder(digest: str) -> Path:
    return here().folder / "files" / "suites" / digest.removeprefix("sha256:")


def _copy(suite: Suite) -> None:
    """A whole copy under its digest, or none; one left by an act that failed is taken over."""
    target = _folder(suite.digest)
    part = target.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(suite.root, part)
    if load_suite(part).digest != suite.digest:
        shutil.rmtree(part)
        raise BadInput(f"suite {suite.name}: changed while it was taken in", kept="nothing")
    part.rename(target)
