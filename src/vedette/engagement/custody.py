"""What an office holds of a lab's material: until when, what suspends its end, what remains of it.

Rules:
- Material is held while its act lives. It falls due the pack's number of days after the end: of a
  window its last hour, of another act the day it is over or has its answer.
- Due material is destroyed by the clock, or by hand; by hand also before it is due.
- A hold in force suspends destruction, whichever side set it, until it ends or is lifted by the
  side that set it. It has a kind, a basis and an authority, and both sides see them.
- Destruction is begun, then the key goes, then the certificate is signed: a break in between leaves
  destruction begun, and nothing says destroyed while a key is there.
- What comes after destruction is held anew, under another key.
- The certificate names what was destroyed by digests and counts, never by content. What remains is
  the ledger, the assessment, the terms: it says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any

from vedette.engagement.table import Actor, Row, Table
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput
from vedette.kernel.events import Event
from vedette.kernel.keys import PrivateKeys, PublicKeys
from vedette.kernel.packs import PolicyPack
from vedette.kernel.permissions import Permission

FORMAT = 1
CONTEXT = b"vedette certificate of destruction 1\n"
HOLDS_LIMIT = 100


class CustodyState(StrEnum):
    HELD = "held"
    DUE = "due"
    DESTROYING = "destroying"
    DESTROYED = "destroyed"


S, E = CustodyState, Event
_clock = partial(Row, Actor.CLOCK, None)
_office = partial(Row, Actor.OFFICE, Permission.CUSTODY_DESTROY)

CUSTODY = Table(
    "custody",
    S.HELD,
    (
        _clock("fall-due", S.HELD, S.DUE, E.CUSTODY_MATERIAL_DUE, "Fall due"),
        _clock("destroy", S.DUE, S.DESTROYING, E.CUSTODY_DESTRUCTION_BEGUN, "Destroy when due"),
        _office("destroy", S.DUE, S.DESTROYING, E.CUSTODY_DESTRUCTION_BEGUN, "Destroy now"),
        _office("destroy", S.HELD, S.DESTROYING, E.CUSTODY_DESTRUCTION_BEGUN, "Destroy early"),
        _clock("certify", S.DESTROYING, S.DESTROYED, E.CUSTODY_MATERIAL_DESTROYED, "Certify"),
        _clock("hold-anew", S.DESTROYED, S.HELD, E.CUSTODY_MATERIAL_HELD, "Hold anew"),
    ),
)


@dataclass(frozen=True)
class Hold:
    """A hold as the rules see it; times in UTC, `until` None for an open one."""

    id: str
    from_at: datetime
    until_at: datetime | None = None
    lifted_at: datetime | None = None


def in_force(hold: Hold, now: datetime) -> bool:
    """Tell whether a hold suspends destruction at `now`."""
    ended = hold.until_at is not None and hold.until_at <= now
    return hold.from_at <= now and hold.lifted_at is None and not ended


def suspending(holds: Iterable[Hold], now: datetime) -> tuple[Hold, ...]:
    """The holds in force."""
    return tuple(hold for hold in holds if in_force(hold, now))


def due_at(pack: PolicyPack, ended: datetime) -> datetime:
    """When material falls due whose act ended at `ended`."""
    return ended + timedelta(days=pack.integer("custody", "days_after_end"))


def due_move(state: str, due: datetime | None, holds: Iterable[Hold], now: datetime) -> Row | None:
    """The clock's next move, None when there is none now."""
    if due is None or now < due:
        return None
    if state == S.HELD:
        return CUSTODY.step(state, "fall-due", Actor.CLOCK)
    if state == S.DUE and not suspending(holds, now):
        return CUSTODY.step(state, "destroy", Actor.CLOCK)
    return None


def check_hold(
    pack: PolicyPack,
    kind: str,
    basis: str,
    authority: str,
    from_at: datetime,
    until_at: datetime | None,
) -> None:
    """Raise BadInput, naming the field, where these make no hold under the pack."""
    kinds = [row["id"] for row in pack.records("custody", "hold_kinds")]
    if kind not in kinds:
        raise BadInput(f"kind: {kind[:40]!r} is none of {', '.join(kinds)}")
    for name, text in (("basis", basis), ("authority", authority)):
        if not text.strip() or len(text) > 300:
            raise BadInput(f"{name}: 1 to 300 characters expected")
    if until_at is not None and until_at <= from_at:
        raise BadInput(
            "until: it is not after the hold begins", next_step="leave it empty, or later"
        )


@dataclass(frozen=True)
class Material:
    """One thing that is held: its kind, which one, the digest of it as stored or as it crossed."""

    kind: str
    object: str
    digest: str

    def to_json(self) -> dict[str, str]:
        return {"kind": self.kind, "object": self.object, "digest": self.digest}


def listed(material: Iterable[Material]) -> dict[str, Any]:
    """A list of material with its counts by kind and its own digest."""
    rows = [m.to_json() for m in sorted(material, key=lambda m: (m.kind, m.object, m.digest))]
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["kind"]] = counts.get(row["kind"], 0) + 1
    return {"counts": counts, "material": rows, "digest": digest(canonical(rows))}


def certificate(
    pack: PolicyPack,
    *,
    act: str,
    office: str,
    lab: str = "",
    shared_by: str = "",
    keys: Iterable[str],
    material: Mapping[str, Any],
    ordered_by: str,
    method: str,
    now: datetime,
) -> dict[str, Any]:
    """The certificate of destruction, ready to be signed by the office that held it.

    Args:
        office, lab, shared_by: key ids; `shared_by` instead of `lab` where an office shared it.
    """
    return {
        "vedette_certificate": FORMAT,
        "act": act,
        **({"shared_by": shared_by} if shared_by else {"lab": lab}),
        "office": office,
        "keys": sorted(keys),
        "destroyed_at": format_time(now),
        "ordered_by": ordered_by,
        "method": method,
        "counts": dict(material["counts"]),
        "material": list(material["material"]),
        "material_digest": material["digest"],
        "remains": list(pack.sequence("custody", "remains")),
        "pack": pack.ref,
    }


def sign_certificate(document: Mapping[str, Any], keys: PrivateKeys) -> str:
    """The office's signature of a certificate, as hex."""
    return keys.sign(CONTEXT + canonical(dict(document))).hex()


def certified(document: Mapping[str, Any], signature: str, keys: PublicKeys) -> bool:
    """Tell whether the office with these keys signed exactly this certificate, and its list."""
    try:
        raw, rows = bytes.fromhex(signature), document["material"]
        whole = digest(canonical(rows)) == document["material_digest"]
        named = document["office"] == keys.keyid and document["vedette_certificate"] == FORMAT
    except (ValueError, KeyError, TypeError):
        return False
    return whole and named and keys.verify(raw, CONTEXT + canonical(dict(document)))
