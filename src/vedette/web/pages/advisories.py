"""Advisories: public to everybody, without signing in; their deployment for the coordinator."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from vedette.kernel.errors import Forbidden
from vedette.kernel.markings import Marking
from vedette.kernel.permissions import Permission, Profile
from vedette.services.acting import Actor
from vedette.services.advisory_lists import public_advisories, public_advisory
from vedette.services.answers import answers_for
from vedette.services.here import here
from vedette.web.access import actor_for
from vedette.web.cells import Code, Column, Link, Table
from vedette.web.pages.forms import moment
from vedette.web.pages.labels import as_file, state

PUBLIC = "TLP:CLEAR"
FORMATS = ("csaf", "osv")


class Filter(forms.Form):
    """Narrows the list."""

    text = forms.CharField(label="Product, title or id", max_length=100, required=False)


def _reader(request: HttpRequest) -> Actor | None:
    """Who reads, None for the public; also gives a signed-in reader the usual navigation."""
    if not request.user.is_authenticated:
        return None
    try:
        actor = actor_for(request)
    except Forbidden:
        return None
    request.actor = actor  # type: ignore[attr-defined]
    return actor


@require_GET
def list_advisories(request: HttpRequest) -> HttpResponse:
    """Every public advisory, newest first."""
    actor = _reader(request)
    form = Filter(request.GET or None)
    text = form.cleaned_data["text"] if form.is_bound and form.is_valid() else ""
    page = Paginator(public_advisories(text), 25).get_page(request.GET.get("page"))
    table = Table(
        "Advisories, newest first",
        ["Advisory", "Id", "Exploited", "Automatable", "Impact", "Corrects", "Published"],
        [_row(each) for each in page],
    )
    context = {
        "table": table,
        "page": page,
        "form": form if form.is_bound else Filter(),
        "filtered": bool(text),
        "may_publish": actor is not None and actor.host and actor.may(Permission.ADVISORY_PUBLISH),
        "page_marking": PUBLIC,
    }
    return render(request, "pages/advisories.html", context)


def _row(advisory: Any) -> list[Any]:
    facts = advisory.priority
    return [
        Link(advisory.title, f"/advisories/{advisory.tracking_id}/"),
        Code(advisory.tracking_id),
        facts.get("kev"),
        facts.get("automatable"),
        facts.get("impact"),
        ", ".join(advisory.corrects),
        advisory.published_at,
    ]


@require_GET
def advisory(request: HttpRequest, tracking_id: str) -> HttpResponse:
    """One public advisory; its coordinator sees who answered, too."""
    actor = _reader(request)
    row = public_advisory(tracking_id)
    content, facts = row.content, row.priority
    own = actor is not None and actor.host and actor.may(Permission.NOTICE_SEND)
    context = {
        "row": row,
        "marking": Marking.parse(row.marking),
        "content": content,
        "facts": [
            ("Known to be exploited", facts.get("kev")),
            ("Exploitation can be automated", facts.get("automatable")),
            ("Technical impact", facts.get("impact")),
        ],
        "about": [
            ("Id", Code(row.tracking_id)),
            ("Other names", ", ".join(content.get("aliases", []))),
            ("Weakness", ", ".join(content.get("cwe", []))),
            ("Published", row.published_at),
            ("Revision", len(content.get("revisions", []))),
            ("CSAF document", row.checks.get("csaf")),
            ("OSV document", row.checks.get("osv")),
        ],
        "affected": _affected(content),
        "severity": _severity(content),
        "revisions": _revisions(content),
        "formats": FORMATS,
        "case": row.case_id if own else "",
        "trail": [("Advisories", "/advisories/"), (row.title, "")],
        "page_marking": row.marking,
    }
    if own and here().profile == Profile.CLEARINGHOUSE and actor is not None:
        context |= _deployment(actor, tracking_id)
    return render(request, "pages/advisory.html", context)


def _affected(content: dict[str, Any]) -> Table:
    return Table(
        "Affected products",
        ["Product", "Package", "Affected", "Fixed in"],
        [
            [
                f"{each.get('vendor', '')} {each.get('product', '')}".strip(),
                each.get("purl") or each.get("package"),
                "; ".join([*(_range(r) for r in each.get("ranges", [])), _versions(each)]).strip(
                    "; "
                ),
                ", ".join(
                    [r["fixed"] for r in each.get("ranges", []) if r.get("fixed")]
                    or each.get("fixed_versions", [])
                ),
            ]
            for each in content.get("affected", [])
        ],
    )


def _range(given: dict[str, str]) -> str:
    first = given.get("introduced", "0")
    start = "" if first == "0" else f"from {first} "
    if given.get("fixed"):
        return f"{start}before {given['fixed']}"
    return f"{start}up to {given['last']}" if given.get("last") else f"{start}on".strip()


def _versions(given: dict[str, Any]) -> str:
    listed = given.get("versions", [])
    return ", ".join(listed[:20]) if not given.get("ranges") else ""


def _severity(content: dict[str, Any]) -> Table:
    rows = [
        [c["party"], c["claimant"], Code(c["vector"]), c["words"]]
        for c in content.get("severity", [])
    ]
    return Table("Severity, as each party judges it", ["Party", "Part", "Vector", "Why"], rows)


def _revisions(content: dict[str, Any]) -> Table:
    rows = [
        [f"{r['number']}", moment(r["date"]), r["summary"]]
        for r in reversed(content.get("revisions", []))
    ]
    return Table("Revisions", ["Number", "When", "What"], rows)


def _deployment(actor: Actor, tracking_id: str) -> dict[str, Any]:
    found = answers_for(actor, tracking_id)
    counts = found["counts"]
    concerned = sum(n for name, n in counts.items() if name != "not-affected")
    deployed = counts.get("patched", 0) + counts.get("verified", 0)
    rows = [
        [
            ", through ".join([each["operator"], *each["through"]]),
            state("notice", each["state"]),
            each["control"],
            moment(each["expires_at"]),
            moment(each["answered_at"]) or "never",
            each["systems"],
        ]
        for each in sorted(
            found["operators"], key=lambda o: (o["state"] != "silent", o["operator"])
        )
    ]
    columns: list[Column | str] = ["Operator", "Answer", "Shielded by", "Until", "Last answer"]
    return {
        "deployed": deployed,
        "concerned": concerned,
        "counts": [(state("notice", name), n) for name, n in counts.items()],
        "answers": Table(
            "Answers, silence first",
            [*columns, Column("Systems", numeric=True)],
            rows,
            empty="No operator is known here yet.",
        ),
    }


@require_GET
def document(request: HttpRequest, tracking_id: str, format_: str) -> HttpResponse:
    """An advisory as the document that was checked and published."""
    row = public_advisory(tracking_id)
    found = row.csaf if format_ == "csaf" else row.osv
    return as_file(f"{row.tracking_id}.{format_}.json", found)
