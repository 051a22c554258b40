"""Operators with a notice at each site, and delegates, on one clearinghouse."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from vedette.clearinghouse.mandates import MandateAct
from vedette.services import delegates, mandates
from vedette.services.acting import Actor, reading
from vedette.services.testing import START, Fixture
from vedette.store.models import Inventory, Mandate, Notice
from vedette.store.tenancy import SYSTEM, scoped

READ, KEEP, ANSWER, STATE = map(str, MandateAct)
ALL = (READ, KEEP, ANSWER, STATE)
BASIS = "Member agreement 2026-05,\n§4: the ISAC answers for us.  "
DAY = timedelta(days=1)
SITES = ("plant", "office")


class World:
    """Operators with a notice at each site, and delegates, on one clearinghouse."""

    def __init__(self, house: Fixture, sites: tuple[str, ...] = SITES) -> None:
        self.house = house
        self.operators = [
            house.person("operator", house.organisation(name, "operator").id)
            for name in ("Oak Utility", "Elm Utility")
        ]
        self.delegates = [
            house.person("delegate", house.organisation(name, "delegate").id)
            for name in ("WaterISAC", "Integrator")
        ]
        self.notices = [notice(op, site) for op in self.operators for site in sites]

    @property
    def now(self) -> Any:
        return self.house.clock.now()

    def at(self, moment: datetime) -> None:
        self.house.clock.time = moment

    def mandate(
        self, operator: Actor, delegate: Actor, acts: Any = ALL, sites: Any = (), days: int = 30
    ) -> Mandate:
        """A mandate in force."""
        made = mandates.make_mandate(
            operator, delegate.org, acts, BASIS, self.now + days * DAY, sites=sites
        )
        return mandates.accept_mandate(delegate, made.id)


def notice(operator: Actor, site: str) -> Notice:
    """A notice without a match behind it."""
    with scoped(SYSTEM):
        held = Inventory(
            org_id=operator.org,
            name=site,
            site=site,
            data=b"x",
            digest="d",
            components=1,
            taken_at=START,
        )
        held.save()
        row = Notice(
            org_id=operator.org,
            inventory=held,
            site=site,
            advisory=f"x-{operator.org}-{site}",
            title=f"A flaw at {site}",
            verdict="affected",
            sent_at=START,
            matches=[
                {
                    **dict.fromkeys(("range", "reason", "confidence", "advisory"), "x"),
                    "component": "c",
                    "name": "part",
                    "version": "1",
                    "fixed": ["2"],
                    "verdict": "affected",
                }
            ],
        )
        row.save()
    return row


def seen(actor: Actor) -> set[str]:
    with reading(actor):
        return {row.id for row in delegates.inbox(actor)}


def seen_by_the_database(actor: Actor) -> set[str]:
    """What PostgreSQL shows a query that passes no manager."""
    with scoped(actor.scope), connection.cursor() as cursor:
        cursor.execute("SELECT id FROM store_notice")
        return {row[0] for row in cursor.fetchall()}
