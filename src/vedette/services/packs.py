"""The policy pack in force: adopted when a trusted key signed it, and every earlier one kept.

Rules:
- A pack in the package is trusted by its pinned digest; any other by a key in `keys/packs/`,
  which the instance's owner puts there.
- A decision keeps the digest of the pack that it was made under; `pack_of` finds that pack again.
"""

from __future__ import annotations

from vedette.kernel.dsse import open_envelope
from vedette.kernel.errors import NotFound
from vedette.kernel.events import Event
from vedette.kernel.packs import BOUNDS as PACK_BOUNDS
from vedette.kernel.packs import (
    PAYLOAD_TYPE,
    PINNED,
    PolicyPack,
    load_pack,
    packaged,
    read_pack,
)
from vedette.kernel.permissions import Permission
from vedette.services.acting import Actor, Doing, act
from vedette.services.here import CURRENT, trusted_keys
from vedette.store.models import PackRecord
from vedette.store.tenancy import SYSTEM, scoped


def record_pack(doing: Doing, pack: PolicyPack, data: bytes) -> None:
    """Keep a pack as it is in force from now on."""
    with scoped(SYSTEM):
        PackRecord.objects.get_or_create(
            digest=pack.digest,
            defaults={
                "name": pack.name,
                "version": pack.version,
                "data": data.decode("utf-8"),
                "adopted_at": doing.now,
            },
        )
    doing.record(Event.INSTANCE_PACK_ADOPTED, pack.ref, {"digest": pack.digest})


def adopt_pack(actor: Actor, envelope: bytes) -> PolicyPack:
    """Adopt a signed pack; servers and workers take it up when they start again."""
    with act(actor, Permission.INSTANCE_ADMINISTER) as doing:
        folder = doing.here.folder
        pack = load_pack(envelope, trusted_keys(folder))
        record_pack(doing, pack, envelope)
        partial = folder / (CURRENT + ".partial")
        partial.write_bytes(envelope)
        partial.replace(folder / CURRENT)
        return pack


def pack_of(digest: str) -> PolicyPack:
    """The pack behind a decision's digest. Raises NotFound where this instance never had it."""
    for ref in PINNED:
        if (pack := packaged(ref)).digest == digest:
            return pack
    row = PackRecord.objects.filter(digest=digest).first()
    if row is None:
        raise NotFound(f"policy pack {digest[:20]!r} was never in force here")
    opened = open_envelope(
        row.data.encode(), PAYLOAD_TYPE, source=f"pack {row.name}@{row.version}", bounds=PACK_BOUNDS
    )
    return read_pack(opened.payload)
