"""The portal's navigation: one table of pages, and who sees each."""

from __future__ import annotations

from dataclasses import dataclass

from vedette.kernel.permissions import Permission, Profile
from vedette.services.acting import Actor


@dataclass(frozen=True)
class Entry:
    """One entry: label, address, the profiles that have it, and the permission to see it.

    `hosted`: on a clearinghouse only the organisations that it hosts have it, not the host.
    `guests`: on these other profiles organisations besides the host have it, too.
    `records`: what is looked up rather than worked on; it stands in a menu of its own.
    """

    label: str
    url: str
    profiles: tuple[Profile, ...]
    permission: Permission | None
    hosted: bool = False
    guests: tuple[Profile, ...] = ()
    records: bool = False


ALL = tuple(Profile)
REPORTING = (Profile.CLEARINGHOUSE, Profile.LAB, Profile.OFFICE)
FEW = 3
OPERATING = (Profile.OPERATOR, Profile.CLEARINGHOUSE)
ENTRIES: tuple[Entry, ...] = (
    Entry("Overview", "/", ALL, None),
    Entry("Plan", "/plan/", (Profile.LAB,), Permission.PLAN_READ),
    Entry("Dossier", "/dossier/", (Profile.LAB,), Permission.PLAN_READ),
    Entry("Acts", "/acts/", (Profile.LAB, Profile.OFFICE), Permission.ENGAGEMENT_READ),
    Entry("Partners", "/partners/", (Profile.LAB, Profile.OFFICE), Permission.ENGAGEMENT_READ),
    Entry("Questions", "/questions/", (Profile.LAB, Profile.OFFICE), Permission.ENGAGEMENT_READ),
    Entry(
        "Reviews", "/reviews/", (Profile.OFFICE,), Permission.REVIEW_READ, guests=(Profile.OFFICE,)
    ),
    Entry("Early access", "/early/", (Profile.LAB,), Permission.EARLY_READ, guests=(Profile.LAB,)),
    Entry(
        "Seats",
        "/seats/",
        (Profile.LAB, Profile.CLEARINGHOUSE),
        Permission.SEATS_READ,
        records=True,
    ),
    Entry("Sessions", "/sessions/", (Profile.LAB, Profile.OFFICE), Permission.ENGAGEMENT_READ),
    Entry("Model", "/models/", (Profile.LAB,), Permission.SESSION_END),
    Entry("Runs", "/runs/", (Profile.OFFICE,), Permission.RUN_READ),
    Entry("Suites", "/suites/", (Profile.OFFICE,), Permission.RUN_READ),
    Entry(
        "Assessments", "/assessments/", (Profile.LAB, Profile.OFFICE), Permission.ASSESSMENT_READ
    ),
    Entry(
        "Landscape",
        "/landscape/",
        (Profile.LAB, Profile.OFFICE),
        Permission.ASSESSMENT_READ,
        records=True,
    ),
    Entry("Scans", "/scans/", REPORTING, Permission.SCAN_READ, guests=(Profile.LAB,)),
    Entry("Findings", "/findings/", REPORTING, Permission.FINDING_READ, guests=(Profile.LAB,)),
    Entry(
        "Custody",
        "/custody/",
        (Profile.LAB, Profile.OFFICE),
        Permission.ENGAGEMENT_READ,
        records=True,
    ),
    Entry(
        "Second person",
        "/seconds/",
        (Profile.OFFICE,),
        Permission.CUSTODY_HOLD,
        guests=(Profile.OFFICE,),
        records=True,
    ),
    Entry(
        "Reading log",
        "/readings/",
        (Profile.LAB, Profile.OFFICE),
        Permission.READING_LOG,
        records=True,
    ),
    Entry("Cases", "/cases/", (Profile.CLEARINGHOUSE,), Permission.CASE_READ),
    Entry("Notices", "/notices/", OPERATING, Permission.NOTICE_READ, hosted=True),
    Entry(
        "Operators' notices",
        "/delegated/",
        (Profile.CLEARINGHOUSE,),
        Permission.MANDATE_USE,
        hosted=True,
    ),
    Entry("Mandates", "/mandates/", (Profile.CLEARINGHOUSE,), Permission.MANDATE_READ, hosted=True),
    Entry("Matches", "/matches/", OPERATING, Permission.NOTICE_READ, hosted=True),
    Entry("VEX", "/vex/", OPERATING, Permission.NOTICE_READ, hosted=True),
    Entry("Inventories", "/inventories/", OPERATING, Permission.NOTICE_READ, hosted=True),
    Entry("Feeds", "/feeds/", (Profile.OPERATOR,), Permission.INVENTORY_EDIT),
    Entry("Feeds", "/feeds/", (Profile.CLEARINGHOUSE,), Permission.ADVISORY_PUBLISH),
    Entry("Test beds", "/testbeds/", OPERATING, Permission.TESTBED_OFFER),
    Entry("Advisories", "/advisories/", (Profile.CLEARINGHOUSE,), None),
    Entry("Copies", "/documents/", ALL, Permission.LEDGER_READ, records=True),
    Entry("Files", "/attachments/", ALL, Permission.ATTACHMENT_READ, records=True),
    Entry("Messages", "/messages/", ALL, Permission.LEDGER_READ, records=True),
    Entry("Ledger", "/ledger/", ALL, Permission.LEDGER_READ, records=True),
    Entry("People", "/people/", ALL, Permission.PERSON_INVITE, records=True),
)


def stands_here(profile: Profile, path: str) -> bool:
    """Whether an instance of this profile has the page at `path` at all, for whomever."""
    entries = [e for e in ENTRIES if e.url != "/" and path.startswith(e.url)]
    urls = {entry.url for entry in entries}
    return urls == {entry.url for entry in entries if profile in entry.profiles}


Shown = tuple[str, str, bool]


def nav_for(actor: Actor, profile: Profile, path: str) -> tuple[list[Shown], list[Shown]]:
    """The entries that `actor` may see, work and records apart.

    Each is (label, url, whether it is the present page).
    """
    rows = [
        e
        for e in ENTRIES
        if profile in e.profiles
        and (e.permission is None or actor.may(e.permission))
        and not (e.hosted and actor.host and profile == Profile.CLEARINGHOUSE)
        and (actor.host or profile == Profile.CLEARINGHOUSE or profile in e.guests)
    ]

    def shown(entries: list[Entry]) -> list[Shown]:
        return [
            (e.label, e.url, path == e.url or (e.url != "/" and path.startswith(e.url)))
            for e in entries
        ]

    records = [e for e in rows if e.records]
    # a menu of one or two is no help
    if len(records) < FEW:
        return shown(rows), []
    return shown([e for e in rows if not e.records]), shown(records)
