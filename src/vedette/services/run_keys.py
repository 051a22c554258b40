"""The two keys of a run's bundle, given to the lab by message: one a person, per run, on record.

Rules:
- What is handed in is what `vedette bench release` made at its holder's: the key sealed to the lab
  alone, signed by the person who held it. The instance opens neither key, nor could it.
- It is taken only for the run's last bundle, signed by whom that layer was sealed to, while the
  run's results are not in; and two persons hand in the two.
- It goes to the lab marked as the act is, in the same transaction as its ledger entry. A bundle
  that opens elsewhere than at the act's lab has its keys handed over as files.
- The lab keeps both, and its own keys open them; it can read them again, and so can nobody else.
"""

from __future__ import annotations

import json
from typing import Any

from vedette.bench.bundle import LAYERS, Manifest, read_release
from vedette.kernel.clock import format_time
from vedette.kernel.errors import Forbidden, NotFound, Refused
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission, Profile
from vedette.services import vault
from vedette.services.acting import Actor, act, reading
from vedette.services.inbox import Arrival, handles
from vedette.services.runs import AWAY, find_run
from vedette.services.sides import arrived_act, only
from vedette.store.models import GivenKey, Run


def give_key(actor: Actor, run_id: str, data: bytes) -> Run:
    """Give the lab one of a bundle's two keys: `data` is what its holder released.

    Raises Refused, Forbidden or BadInput where it is not that bundle's, its holder's or its time.
    """
    only(Profile.OFFICE, actor)
    with act(actor, Permission.SUITE_UNSEAL) as doing:
        if actor.system:
            raise Forbidden("a person gives a key", next_step="hand it in on the run's page")
        run = find_run(run_id)
        record = run.custody_record
        if run.state != AWAY or "bundle" not in record or run.act is None:
            raise Refused("no bundle of this run waits for its keys", kept="the run as it was")
        manifest = Manifest.from_json(record["bundle"])
        if manifest.lab.keyid != run.act.peer.keyid:
            raise Refused(
                "the bundle opens at a third place, which no message goes to",
                next_step="hand the released key over as a file",
            )
        found = read_release(manifest, data)
        if found.by.keyid != record["holders"][found.layer]:
            raise Refused(
                f"the {found.layer} key was not sealed to who signed this", kept="the run as it was"
            )
        given, person = dict(record.get("given", {})), vault.reader_id(actor)
        if found.layer in given:
            raise Refused(f"the {found.layer} key is given already", kept="what was sent")
        if person in {each["by"] for each in given.values()}:
            raise Forbidden(
                "two persons give the two keys, and one of them you gave",
                kept="what was sent",
                next_step=f"a colleague gives the {found.layer} key on the run's page",
            )
        body = {
            "run": run.id,
            "act": run.act_id,
            "bundle": manifest.id,
            "layer": found.layer,
            "key": json.loads(data),
        }
        sent = doing.send(
            run.act.peer, "run.key-given", body, thread=run.act.id, marking=run.act.marking
        )
        given[found.layer] = {"by": person, "at": format_time(doing.now)}
        run.custody_record = {**record, "given": given}
        run.save(update_fields=["custody_record"])
        said = {"bundle": manifest.id, "layer": found.layer, "by": person}
        doing.record(Event.BENCH_KEY_GIVEN, run.id, said, marking=run.marking, message_id=sent)
        return run


@handles("run.key-given")
def on_given(arrival: Arrival) -> None:
    """The lab keeps a key that it was given; the same again changes nothing."""
    body, row = arrival.body, arrived_act(arrival)
    if GivenKey.objects.filter(bundle=body["bundle"], layer=body["layer"], act=row).exists():
        return
    made = GivenKey(
        org_id=row.org_id,
        act=row,
        run=body["run"],
        bundle=body["bundle"],
        layer=body["layer"],
        document=body["key"],
        given_at=arrival.doing.now,
    )
    made.save(force_insert=True)
    arrival.doing.record(
        Event.BENCH_KEY_RECEIVED,
        body["run"],
        {"bundle": made.bundle, "layer": made.layer},
        marking=arrival.message.marking,
        message_id=arrival.message.id,
    )


def given_keys(actor: Actor, *, act_id: str = "", bundle: str = "") -> list[GivenKey]:
    """The keys that this lab was given, newest first."""
    only(Profile.LAB, actor)
    with reading(actor, Permission.ENGAGEMENT_READ):
        rows = GivenKey.objects.order_by("-given_at", "layer", "id")
        rows = rows.filter(act_id=act_id) if act_id else rows
        return list((rows.filter(bundle=bundle) if bundle else rows)[:200])


def given_key(actor: Actor, act_id: str, key_id: str) -> GivenKey:
    """One of those of an act. Raises NotFound."""
    found = [row for row in given_keys(actor, act_id=act_id) if row.id == key_id]
    if not found:
        raise NotFound(f"key {key_id[:40]!r} is not here")
    return found[0]


def as_json(row: GivenKey) -> dict[str, Any]:
    """A given key for programs; `key` is what `bench run --key` takes."""
    return {
        "id": row.id,
        "act": row.act_id,
        "run": row.run,
        "bundle": row.bundle,
        "layer": row.layer,
        "given_at": format_time(row.given_at),
        "key": row.document,
    }


def waiting(run: Run) -> list[str]:
    """The keys of a run's bundle that are not given yet; of one that opens elsewhere none."""
    record = run.custody_record
    if run.state != AWAY or "bundle" not in record or run.act is None:
        return []
    if record.get("bundled_for") != run.act.peer.keyid:
        return []
    return [layer for layer in LAYERS if layer not in record.get("given", {})]
