"""Runs whose items leave: the bundle goes out, the results come back, both on record.

Rules:
- A bundle is made of a run that was committed to with such a custody, for the lab's keys, or at a
  third place for the keys that are given. It can be made again until results are in; only results
  of the last one are taken.
- The items of a sealed suite count as exposed when their bundle is made.
- Results are taken once, by the rules of `bench.bundle`, and scanned here, for the suite's canary
  too: flags that came with them are not kept. The digest that the lab signed is on record.
- At a third place they come with what attests the place, which is on record before they are.
"""

from __future__ import annotations

from typing import Any

from vedette.bench.bundle import LAYERS, Manifest, make_bundle, take_results
from vedette.bench.custody import JOINT
from vedette.bench.transcripts import scanned_anew
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.errors import BadInput, Refused
from vedette.kernel.events import Event
from vedette.kernel.keys import PublicKeys
from vedette.kernel.permissions import Permission, Profile
from vedette.runner.joint.interface import JointPlace
from vedette.services import exposures
from vedette.services.acting import Actor, act
from vedette.services.run_commitments import plan_in
from vedette.services.runs import AWAY, FINISHED, find_run
from vedette.services.sides import only
from vedette.services.suites import canary_of, opened
from vedette.store.models import Run


def bundle_run(
    actor: Actor,
    run_id: str,
    *,
    holders: tuple[PublicKeys, PublicKeys],
    place: PublicKeys | None = None,
) -> tuple[dict[str, Any], bytes]:
    """Make the bundle of a run: its signed commitment, and the bundle.

    Args:
        holders: who hold the outer and the inner key.
        place: keys of where it is to open; the lab's own where not given.
    """
    only(Profile.OFFICE, actor)
    with act(actor, Permission.RUN_START) as doing:
        run = _away(run_id)
        if place is None and run.custody == JOINT:
            raise BadInput("--for: a third place has keys of its own; name them")
        peer = run.act.peer if run.act else None
        if place is None and peer is not None:
            place = PublicKeys(peer.ed25519, peer.age)
        if place is None:
            raise BadInput("--for: must be given")
        with opened(run.suite, run.suite_digest, run.items) as (suite, _):
            manifest, data = make_bundle(
                suite, plan_in(run), office=doing.here.keys, lab=place, holders=holders
            )
        if run.items and "bundle" not in run.custody_record:
            exposures.record(doing, run)
        said = {
            "bundle_digest": digest(canonical(manifest.to_json())),
            "bundled_for": place.keyid,
            "bundle": manifest.to_json(),
            "holders": dict(zip(LAYERS, (holder.keyid for holder in holders), strict=True)),
            "given": {},
        }
        run.custody_record = {**run.custody_record, **said}
        run.save(update_fields=["custody_record"])
        doing.record(
            Event.BENCH_RUN_BUNDLED,
            run.id,
            {"bundle": said["bundle_digest"], "for": place.keyid},
            marking=run.marking,
        )
        return dict(run.signed_commitment), data


def take_run_results(
    actor: Actor, run_id: str, data: bytes, place: JointPlace | None = None
) -> Run:
    """Take the results that came back for a run. Raises Refused where they are not its own."""
    only(Profile.OFFICE, actor)
    with act(actor, Permission.RUN_START) as doing:
        run = _away(run_id, "no results of it are waited for")
        plan = plan_in(run)
        if "bundle" not in run.custody_record:
            raise Refused("no bundle of this run was made", next_step="vedette bench bundle --run")
        if run.custody == JOINT and place is None:
            raise BadInput("attestation: results from a third place come with one")
        manifest = Manifest.from_json(run.custody_record["bundle"])
        result = take_results(data, manifest, doing.here.keys)
        if result.commitment != plan:
            raise Refused("these results are of another commitment", kept="the run as it was")
        said = {"results_signed_by": manifest.lab.keyid, "results_digest": result.digest}
        result = scanned_anew(result, [canary_of(run.suite, run.suite_digest)])
        if place is not None:
            said |= place.attest(plan.digest).to_json()
        run.custody_record = {**run.custody_record, **said}
        run.result, run.state, run.finished_at = result.to_json(), FINISHED, doing.now
        run.progress = {"done": len(result.samples), "total": len(result.samples), "events": []}
        run.save()
        payload = {"state": run.state, "result": result.digest, "error": ""}
        doing.record(Event.BENCH_RUN_FINISHED, run.id, payload, marking=run.marking)
        return run


def _away(run_id: str, why: str = "its items do not leave") -> Run:
    run = find_run(run_id)
    if run.state != AWAY:
        raise Refused(f"the run is {run.state}: {why}", kept="the run as it was")
    return run
