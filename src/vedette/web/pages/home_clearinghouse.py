"""The overview of a clearinghouse: its own people, and the organisations that it hosts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from vedette.kernel import markings
from vedette.kernel.permissions import Permission
from vedette.services import delegates
from vedette.services.advisory_lists import public_advisories
from vedette.services.answers import answers_for
from vedette.services.case_lists import (
    case_counts,
    case_list,
    coordinates,
    finding_list,
    kind_of,
    ready_findings,
    silent_parties,
)
from vedette.services.case_views import open_counts
from vedette.services.here import here
from vedette.web.access import SignedIn
from vedette.web.cells import Column, Link, Table
from vedette.web.pages import home_operator
from vedette.web.pages.cases import coordinator_table, participant_table
from vedette.web.pages.delegated import MARKING as DELEGATED
from vedette.web.pages.delegated import operators_table
from vedette.web.pages.labels import state

FIRST = 5
SOON = timedelta(days=14)


def overview(request: SignedIn) -> HttpResponse:
    """What waits for this reader, by what its organisation does here."""
    context = _coordinator(request) if coordinates(request.actor) else _hosted(request)
    return render(request, "pages/home_clearinghouse.html", context)


def _coordinator(request: SignedIn) -> dict[str, Any]:
    actor, now = request.actor, here().clock.now()
    findings = open_counts(actor)
    soon = case_list(actor, only_open=True).filter(embargo_until__lte=now + SOON)[:FIRST]
    return {
        "coordinates": True,
        "finding_counts": [(name, state("finding", name), n) for name, n in findings.items() if n],
        "case_counts": [
            (name, state("case", name), n) for name, n in case_counts(actor).items() if n
        ],
        "ready": _ready(ready_findings(actor)),
        "ending": coordinator_table(soon, "Embargoes that end within 14 days"),
        "silent": _silent(silent_parties(actor)),
        "answers": _answers(request),
        "page_marking": "TLP:AMBER+STRICT",
    }


def _ready(rows: list[Any]) -> Table:
    return Table(
        "Executed here, waiting for a case",
        ["Finding", "Product", "Shown", "Received"],
        [
            [
                Link(row.title[:120], f"/findings/{row.id}/"),
                row.product,
                row.crash.split(" < ")[0],
                row.received_at,
            ]
            for row in rows
        ],
    )


def _silent(rows: list[Any]) -> Table:
    return Table(
        "Never answered, the longest silence first",
        ["Organisation", "Case", "Invited"],
        [
            [row.org.name, Link(row.case.title[:120], f"/cases/{row.case_id}/"), row.invited_at]
            for row in rows
        ],
    )


def _answers(request: SignedIn) -> Table:
    if not request.actor.may(Permission.NOTICE_SEND):
        return Table("Answers to the newest advisories", [], [])
    columns = ("Patched", "Verified", "Deferred", "Not affected", "Silent")
    names = ("patched", "verified", "deferred", "not-affected", "silent")
    rows = []
    for advisory in public_advisories(limit=3):
        counts = answers_for(request.actor, advisory.tracking_id)["counts"]
        link = Link(advisory.title[:120], f"/advisories/{advisory.tracking_id}/")
        rows.append([link, *(counts.get(name, 0) for name in names)])
    return Table(
        "Answers to the newest advisories",
        ["Advisory", *(Column(name, numeric=True) for name in columns)],
        rows,
    )


def _hosted(request: SignedIn) -> dict[str, Any]:
    """The sections that this reader's role and its organisation's kind call for."""
    actor = request.actor
    kind = "" if actor.role not in ("administrator", "reader") else kind_of(actor)
    context: dict[str, Any] = {"coordinates": False, "hosted": True, "sections": []}
    seen = [markings.CLEAR]
    responds = actor.may(Permission.CASE_RESPOND) and kind in ("", "vendor", "maintainer")
    reports = actor.may(Permission.FINDING_REPORT) and kind in ("", "finder", "partner")
    if responds and not actor.host:
        rows = list(case_list(actor, only_open=True)[:FIRST])
        context["cases"] = participant_table(request, rows, "Cases that wait for your answer")
        context["sections"].append("cases")
        seen += [markings.Marking.parse(row.marking) for row in rows]
    if reports and not actor.host:
        found = list(finding_list(actor)[:FIRST])
        context["findings"] = _own_findings(found)
        context["finding_counts"] = [
            (name, state("finding", name), n) for name, n in open_counts(actor).items() if n
        ]
        context["sections"].append("findings")
        seen += [markings.Marking.parse(row.marking) for row in found]
    if actor.may(Permission.ANSWER_GIVE) and kind in ("", "operator") and not actor.host:
        context |= home_operator.section(request)
        context["sections"].append("notices")
        seen.append(markings.AMBER)
    if (actor.may(Permission.MANDATE_USE) and kind == "") or kind == "delegate":
        context["mandated"] = operators_table(delegates.operators(actor))
        context["sections"].append("mandated")
        seen.append(markings.Marking.parse(DELEGATED))
    context["may_read_ledger"] = actor.may(Permission.LEDGER_READ)
    context["page_marking"] = markings.join(seen)
    return context


def _own_findings(rows: list[Any]) -> Table:
    return Table(
        "Your newest findings, and what became of each",
        ["Finding", "State", "Why", "Received"],
        [
            [
                Link(row.title[:120], f"/findings/{row.id}/"),
                state("finding", row.state),
                row.why[0][:160] if row.why else "waits for its execution",
                row.received_at,
            ]
            for row in rows
        ],
    )
