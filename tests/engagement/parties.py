"""Two parties and their terms, for tests."""

from __future__ import annotations

from datetime import UTC, datetime

from vedette.engagement.terms import Person, Quota, Terms, clauses_of
from vedette.kernel.keys import PrivateKeys
from vedette.kernel.packs import default_pack

LAB, OFFICE = PrivateKeys.generate(), PrivateKeys.generate()
PACK = default_pack()
OPENS, CLOSES = datetime(2026, 12, 1, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)
PERSON = "ada@office"


def make_terms() -> Terms:
    return Terms(
        act="act-2222222222222222",
        lab=LAB.public.keyid,
        office=OFFICE.public.keyid,
        basis="eo14409-3b2",
        opens=OPENS,
        closes=CLOSES,
        clauses=clauses_of(PACK),
        people=(Person(PERSON, "Ada"), Person("bo@office", "Bo")),
        purposes=("confirmation", "supplementation"),
        quota=Quota(100, 10_000),
        publication="none",
        marking="TLP:AMBER+STRICT",
        export=False,
        watermark=True,
        pack=PACK.ref,
        pack_digest=PACK.digest,
    )
