"""Unsealing a suite: two keyholders make its key again, until somebody takes it back.

Rules:
- One keyholder proposes with the code of their share, another seconds with theirs; the key is made
  of the two shares at that moment and is nowhere before.
- While a suite is unsealed its key is a file beside those of windows: outside the database and
  every backup. Taking it back destroys that file, and one person can do it at any time.
- What a run has open it keeps until it ends. A run that begins after it was taken back
  does not begin.
- The proposer's share waits sealed to the instance, and is gone once the proposal is settled.
- Unsealing deals the key anew to whoever is a keyholder then.
"""

from __future__ import annotations

from typing import Any

from vedette.kernel.errors import BadInput, NotFound, Refused
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission, Profile
from vedette.kernel.sealing import WindowKey, destroy, sync_folder
from vedette.kernel.shares import join
from vedette.runner.private import sweep
from vedette.services import keyholders, two_person, vault
from vedette.services.acting import Actor, Doing, act, reading
from vedette.services.sides import note, only
from vedette.services.suites import SEALED, UNSEALED, fits
from vedette.store.models import TakenSuite
from vedette.store.tenancy import SYSTEM, scoped

UNSEAL = "unseal-suite"


def find(suite_id: str) -> TakenSuite:
    """The taken suite of this id, among those in scope. Raises NotFound."""
    row = TakenSuite.objects.filter(id=suite_id).first()
    if row is None:
        raise NotFound(f"suite {suite_id[:40]!r} is not here")
    return row


def find_named(actor: Actor, named: str) -> TakenSuite:
    """The suite of this id, or the newest of this name. Raises NotFound."""
    only(Profile.OFFICE, actor)
    with reading(actor, Permission.RUN_READ):
        newest = TakenSuite.objects.filter(name=named).order_by("-taken_at", "-id").first()
        return newest or find(named)


def second_unsealing(actor: Actor, suite_id: str, code: str) -> TakenSuite:
    """Second what a colleague proposed for a suite, with one's own share."""
    only(Profile.OFFICE, actor)
    with reading(actor, Permission.SUITE_UNSEAL):
        row = find(suite_id)
        waiting = two_person.waiting_for(UNSEAL, row.id)
    if waiting is None:
        settled = "it is unsealed already" if row.state == UNSEALED else "nobody has proposed it"
        raise Refused(
            f"suite {row.name}: {settled}",
            kept="it as it is",
            next_step="propose to unseal it when it is sealed; a colleague seconds it",
        )
    _, made = two_person.second(actor, waiting.id, code)
    assert isinstance(made, TakenSuite)
    return made


def ask_unsealing(actor: Actor, suite_id: str, code: str, why: str) -> Any:
    """Propose to unseal a suite, with one's own share; a second keyholder does it."""
    only(Profile.OFFICE, actor)
    with act(actor, Permission.SUITE_UNSEAL) as doing:
        row = find(suite_id)
        if row.state == UNSEALED:
            raise Refused(f"suite {row.name} is unsealed already", kept="it as it is")
        share = keyholders.share_of(doing, row, code)
        given = {"share": keyholders.to_instance(doing, share)}
        return two_person.ask(doing, UNSEAL, row.id, given, note(why, "why"))


@two_person.kind(UNSEAL, Permission.SUITE_UNSEAL, always=True, asks="code")
def _unseal(doing: Doing, suite_id: str, arguments: dict[str, Any], by: str) -> Any:
    row = find(suite_id)
    if row.state == UNSEALED:
        raise Refused(f"suite {row.name} is unsealed already", kept="it as it is")
    first = keyholders.from_instance(doing, arguments["share"])
    second = keyholders.share_of(doing, row, arguments.get("code", ""))
    key = WindowKey(row.key_id, join(first, second))
    if not fits(row, key):
        raise BadInput("these shares do not make the suite's key", kept="the suite sealed")
    row.shares, row.state = keyholders.deal(key), UNSEALED
    row.unsealed_by, row.unsealed_at = by[:500], doing.now
    row.save(update_fields=["shares", "state", "unsealed_by", "unsealed_at"])
    path = vault.key_file(row.id)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    destroy(path)
    key.save(path)
    sync_folder(path.parent)
    doing.record(Event.BENCH_SUITE_UNSEALED, row.id, {"by": by}, marking=row.marking)
    return row


def take_back(actor: Actor, suite_id: str) -> TakenSuite:
    """Seal a suite again: the key that lies here is destroyed."""
    only(Profile.OFFICE, actor)
    with act(actor, Permission.SUITE_UNSEAL) as doing:
        row = find(suite_id)
        if row.state != UNSEALED:
            raise Refused(f"suite {row.name} is {row.state}", kept="the suite as it was")
        row.state = SEALED
        row.save(update_fields=["state"])
        destroy(vault.key_file(row.id))
        by = {"by": vault.reader_id(actor)}
        doing.record(Event.BENCH_SUITE_RESEALED, row.id, by, marking=row.marking)
        return row


def tidy() -> int:
    """After a kill: no private folder and no key of a suite that is not unsealed stays behind.

    Returns how many were removed.
    """
    gone = sweep()
    with scoped(SYSTEM):
        sealed = TakenSuite.objects.exclude(state=UNSEALED).values_list("id", flat=True)
        left = [path for each in sealed if (path := vault.key_file(each)).exists()]
    for path in left:
        destroy(path)
    return gone + len(left)
