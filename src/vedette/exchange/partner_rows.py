"""Rows of the one table: trusted partners, their seats, scans before their work, test beds."""

from __future__ import annotations

from vedette.exchange.fields import (
    ID,
    NOTE,
    Choice,
    Field,
    ListOf,
    Record,
    Text,
    Time,
    Whole,
    YesNo,
)
from vedette.exchange.rows import BEHALF, CLEARINGHOUSE, LAB, OFFICE, OPERATOR, MessageType, row

TIES = ListOf(Record({"kind": Text(60), "text": Text(1000)}), 20, required=False)
PARTNER: dict[str, Field] = {
    "name": Text(),
    "sector": Text(100),
    "small": YesNo(required=False),
    "criteria": ListOf(Text(60), 20),
    "reason": NOTE,
    "conflicts": NOTE,
    "ties": TIES,
}

PARTNER_ROWS: tuple[MessageType, ...] = (
    row(
        "partner.answered",
        {LAB, OFFICE},
        {LAB, OFFICE},
        "What one side says of one partner of a selection, from now on.",
        act=ID,
        partner=ID,
        stance=Choice(("agreed", "declined", "taken-back")),
        number=Whole(1, 10**6),
        at=Time(),
        reason=NOTE,
        ties=TIES,
    ),
    row(
        "partner.named",
        {LAB},
        {CLEARINGHOUSE},
        "A trusted partner that both sides agreed on, by name.",
        act=ID,
        partner=Text(40, ID.pattern, required=False),
        number=Whole(1, 10**6, required=False),
        name=Text(),
        sector=Text(100),
        small=YesNo(required=False),
        agreed=Time(),
    ),
    row(
        "partner.withdrawn",
        {LAB},
        {CLEARINGHOUSE},
        "A trusted partner is agreed on no more: either side took its word back.",
        act=ID,
        partner=ID,
        number=Whole(1, 10**6),
        at=Time(),
    ),
    row(
        "scan.answered",
        {CLEARINGHOUSE},
        {LAB, OFFICE},
        "What the party of a scan may know: whether somebody is at it, wishes, test beds.",
        scan=ID,
        number=Whole(1, 10**6),
        somebody=YesNo(),
        introduced=ListOf(Record({"name": Text(200), "contact": Text(300)}), 500),
        wishes=ListOf(
            Record(
                {
                    "kind": Text(60),
                    "vendor": Text(),
                    "product": Text(500),
                    "text": Text(4_000),
                    "contact": Text(300),
                    "starts": Time(required=False),
                    "ends": Time(required=False),
                }
            ),
            50,
        ),
        beds=ListOf(
            Record(
                {
                    "name": Text(200),
                    "owner": Text(200),
                    "kind": Text(20),
                    "product": Text(500),
                    "hours": Text(1_000),
                    "limits": Text(4_000),
                    "contact": Text(300),
                    "until": Time(required=False),
                }
            ),
            50,
        ),
    ),
    row(
        "scan.declared",
        {LAB, OFFICE},
        {CLEARINGHOUSE},
        "A scan is registered before its work begins, one's own or on a partner's behalf.",
        scan=ID,
        number=Whole(1, 10**6),
        vendor=Text(required=False),
        product=Text(),
        package=Text(500, required=False),
        versions=ListOf(Text(100), 50),
        method=Text(60),
        starts=Time(),
        ends=Time(),
        introduce=YesNo(),
        contact=Text(300, required=False),
        behalf=BEHALF,
    ),
    row(
        "scan.ended",
        {LAB, OFFICE},
        {CLEARINGHOUSE},
        "A registered scan is over before its end.",
        scan=ID,
        at=Time(),
    ),
    row(
        "seats.shared",
        {LAB},
        {CLEARINGHOUSE},
        "Seats and hours of early access by sector: numbers alone.",
        number=Whole(1, 10**6),
        as_of=Time(),
        rows=ListOf(
            Record(
                {
                    "sector": Text(100),
                    "partners": Whole(),
                    "small": Whole(),
                    "sessions": Whole(),
                    "minutes": Whole(),
                    "calls": Whole(),
                }
            ),
            200,
        ),
    ),
    row(
        "testbed.offered",
        {OPERATOR},
        {CLEARINGHOUSE},
        "An operator offers its own product or test bed to be looked at.",
        testbed=ID,
        name=Text(200),
        kind=Choice(("own-product", "own-test-bed")),
        own=YesNo(),
        vendor=Text(required=False),
        product=Text(),
        package=Text(500, required=False),
        hours=Text(1_000),
        limits=NOTE,
        contact=Text(),
        until=Time(required=False),
    ),
    row(
        "testbed.withdrawn",
        {OPERATOR},
        {CLEARINGHOUSE},
        "An operator takes its offer back.",
        testbed=ID,
        at=Time(),
    ),
)
