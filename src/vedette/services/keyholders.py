"""Keyholders: the people any two of whom can open a sealed suite, and none of them alone.

Rules:
- A person makes themselves a keyholder and is shown a code once. The instance keeps it nowhere, so
  that its folder, database and keys together open no share.
- A suite's key is dealt in shares to those who are keyholders when it is taken in, and anew to
  those who are at each unsealing; it takes two of them, of the office, with the permission.
- Who becomes a keyholder anew (a lost code) has shares again from the next unsealing on.
"""

from __future__ import annotations

from vedette.kernel.bounds import from_text, to_text
from vedette.kernel.errors import Refused
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission, Profile
from vedette.kernel.sealing import WindowKey
from vedette.kernel.shares import Holder, split
from vedette.services import vault
from vedette.services.acting import Actor, Doing, act, reading
from vedette.services.sides import only
from vedette.store.models import Keyholder, TakenSuite

LEAST = 2


def become(actor: Actor) -> str:
    """Make oneself a keyholder, or one anew; return the code, which is kept nowhere."""
    only(Profile.OFFICE, actor)
    with act(actor, Permission.SUITE_UNSEAL) as doing:
        if actor.system:
            raise Refused("a person is a keyholder", next_step="sign in and do it at /suites/")
        code, made = Holder.new()
        person = vault.reader_id(actor)
        Keyholder.objects.filter(person=person, ended_at=None).update(ended_at=doing.now)
        row = Keyholder(
            org_id=actor.org,
            person=person,
            recipient=made.recipient,
            sealed=made.sealed,
            made_at=doing.now,
        )
        row.save(force_insert=True)
        doing.record(Event.BENCH_KEYHOLDER_MADE, row.id, {"person": person})
        return code


def end(actor: Actor, holder_id: str) -> None:
    """End somebody's being a keyholder: at the next unsealing they get no share."""
    only(Profile.OFFICE, actor)
    with act(actor, Permission.SUITE_UNSEAL) as doing:
        rows = Keyholder.objects.filter(id=holder_id, ended_at=None)
        if rows.update(ended_at=doing.now):
            doing.record(Event.BENCH_KEYHOLDER_ENDED, holder_id, {})


def holders(actor: Actor) -> list[Keyholder]:
    """Those who are keyholders now, by name."""
    only(Profile.OFFICE, actor)
    with reading(actor, Permission.RUN_READ):
        return _present()


def deal(key: WindowKey) -> dict[str, str]:
    """Cut a key into a share for each keyholder, sealed to them; by the holder's id."""
    rows = enough()
    shares = zip(rows, split(key.raw, len(rows)), strict=True)
    return {row.id: _holder(row).give(share) for row, share in shares}


def enough() -> list[Keyholder]:
    """Those who are keyholders now. Raises Refused where a key can't be dealt to two of them."""
    rows = _present()
    if len(rows) < LEAST:
        raise Refused(
            f"a suite is sealed for two keyholders, and there are {len(rows)}",
            kept="nothing",
            next_step="two people of the office become keyholders at /suites/",
        )
    return rows


def share_of(doing: Doing, row: TakenSuite, code: str) -> str:
    """Open the acting person's share of a suite's key with their code. Raises Refused, BadInput."""
    person = vault.reader_id(doing.actor)
    held = Keyholder.objects.filter(person=person, id__in=list(row.shares)).order_by("-made_at")
    found = held.first()
    if found is None or doing.actor.system:
        raise Refused(
            f"{person} has no share of the key of suite {row.name}",
            kept="the suite as it was",
            next_step="two who have one unseal it; who is a keyholder then gets a share",
        )
    return _holder(found).take(row.shares[found.id], code)


def to_instance(doing: Doing, share: str) -> str:
    """Seal a share to the instance, for as long as it waits for the second."""
    return to_text(doing.here.keys.public.seal(share.encode()))


def from_instance(doing: Doing, sealed: str) -> str:
    return doing.here.keys.open(from_text(sealed, field="share")).decode()


def _present() -> list[Keyholder]:
    return list(Keyholder.objects.filter(ended_at=None).order_by("person", "id")[:100])


def _holder(row: Keyholder) -> Holder:
    return Holder(row.recipient, row.sealed)
