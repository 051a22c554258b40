"""Rows of the one table: builds, fingerprints, the access record, what is said of a release."""

from __future__ import annotations

from vedette.exchange.fields import DIGEST, ID, NOTE, Choice, Document, Text, Time, Whole
from vedette.exchange.rows import LAB, OFFICE, MessageType, row

CUSTODIES = ("endpoint", "weights-here", "items-there", "joint")

ACCESS_ROWS: tuple[MessageType, ...] = (
    row(
        "access.recorded",
        {LAB, OFFICE},
        {LAB, OFFICE},
        "One side's account of a window's access, for comparison with the other's.",
        act=ID,
        record=Document(limit=65_536),
    ),
    row(
        "build.fingerprinted",
        {OFFICE},
        {LAB},
        "What the office's probes found: whether the answers come from the build that they came"
        " from before.",
        round=ID,
        act=ID,
        occasion=Text(10),
        state=Choice(("taken", "missed")),
        verdict=Choice(("first", "same", "changed"), required=False),
        build=Text(40, required=False),
        era=Whole(),
        p=Text(12, r"[01](\.[0-9]{1,9})?", required=False),
        statistic=Text(12, r"-?[0-9](\.[0-9]{1,9})?", required=False),
        bar=Text(12, r"-?[0-9](\.[0-9]{1,9})?", required=False),
        recent=Whole(1, 1_000, required=False),
        reason=Text(required=False),
        taken=Time(),
        until=Time(required=False),
    ),
    row(
        "build.served",
        {LAB},
        {OFFICE},
        "Which build a window's sessions reach from now on, as the lab states it.",
        act=ID,
        build=Text(40, r"build-[2-9a-z]{16}"),
        model=Text(200),
        name=Text(200, required=False),
        checkpoint=Text(71, required=False),
        safeguards=Text(200, required=False),
        system_prompt=Text(71, required=False),
        sampling=Text(500, required=False),
        since=Time(),
    ),
    row(
        "release.stated",
        {LAB},
        {OFFICE},
        "What the lab says of the released build beside the assessed one; it may say nothing.",
        statement=ID,
        act=ID,
        said=Choice(("same", "differs", "not-stated")),
        build=Text(200, required=False),
        checkpoint=Text(71, required=False),
        differences=NOTE,
        stated=Time(),
    ),
    row(
        "run.committed",
        {OFFICE},
        {LAB},
        "What the office fixed before a run on the lab's model: the digest of the whole, behind a"
        " nonce, and of the threshold; opened after, it shows whether anything was changed.",
        run=ID,
        act=ID,
        session=Text(40, ID.pattern, required=False),
        commitment=DIGEST,
        custody=Choice(CUSTODIES),
        rule=Text(200),
        threshold_digest=Text(71, r"sha256:[0-9a-f]{64}", required=False),
        items=Whole(1, 100_000),
        trials=Whole(1, 100_000),
        committed=Time(),
    ),
    row(
        "run.key-given",
        {OFFICE},
        {LAB},
        "One of the two keys of a run's item bundle, sealed to the lab by the person who held it.",
        run=ID,
        act=ID,
        bundle=ID,
        layer=Choice(("outer", "inner")),
        key=Document(limit=16_384),
    ),
)
