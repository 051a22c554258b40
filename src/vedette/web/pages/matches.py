"""An operator's matches by document, product and asset; how far each asset is; matching by hand."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from vedette.clearinghouse.remediation import MARKS, Remediation
from vedette.kernel.errors import BadInput
from vedette.kernel.permissions import Permission
from vedette.services import asset_matches
from vedette.services.asset_matches import KINDS, Asset, Entry, Line
from vedette.services.operator_views import index_status
from vedette.web.access import SignedIn, page
from vedette.web.cells import State
from vedette.web.pages.labels import label, sentences, state

MARKING = "TLP:AMBER+STRICT"
TITLES = {"document": "Documents", "product": "Products", "asset": "Assets"}


@require_GET
@page(Permission.NOTICE_READ)
def list_matches(request: SignedIn) -> HttpResponse:
    """What matches, by document, product or asset; or what matches one of them."""
    kind = request.GET.get("by", "document")
    kind = kind if kind in KINDS else "document"
    words = request.GET.get("text", "")[:100]
    every = asset_matches.lines(request.actor)
    found = [line for line in every if _fits(line, words)]
    one = _chosen(request, kind)
    context = {
        "kind": kind,
        "kinds": [(name, TITLES[name]) for name in KINDS],
        "may_mark": request.actor.may(Permission.ANSWER_GIVE),
        "may_match": request.actor.may(Permission.INVENTORY_EDIT),
        "page_marking": MARKING,
    }
    if one is not None:
        rows = [line for line in every if line.key(kind) == one]
        return render(request, "pages/match.html", context | _of_one(request, kind, one, rows))
    listed = asset_matches.entries(found, kind)
    shown = Paginator(listed, 50).get_page(request.GET.get("page"))
    context |= {
        "page": shown,
        "rows": [_entry(each, kind) for each in shown],
        "text": words,
        "any": bool(every),
        "statistics": _statistics(asset_matches.statistics(every)),
        "index": index_status(request.actor),
    }
    return render(request, "pages/matches.html", context)


def _of_one(request: SignedIn, kind: str, one: Any, rows: list[Line]) -> dict[str, Any]:
    """What matches one document, product or asset."""
    shown = Paginator(rows, 50).get_page(request.GET.get("page"))
    return {
        "page": shown,
        "rows": [_line(line) for line in shown],
        "of": _name(one),
        "value": _value(one),
        "statistics": _statistics(asset_matches.statistics(rows)),
        "marks": [(mark, label("remediation", mark)) for mark in MARKS],
        "entry": asset_matches.entries(rows, kind)[0] if rows else None,
        "trail": [("Matches", f"/matches/?by={kind}"), (_name(one), "")],
    }


def _fits(line: Line, words: str) -> bool:
    said = f"{line.document} {line.product} {line.title} {line.asset.inventory}"
    return words.casefold() in f"{said} {line.asset.component}".casefold()


def _chosen(request: SignedIn, kind: str) -> Any:
    of = request.GET.get("of", "")
    if not of:
        return None
    return Asset(request.GET.get("in", ""), of) if kind == "asset" else of


def _name(key: Any) -> str:
    return f"{key.component} in {key.inventory}" if isinstance(key, Asset) else str(key)


def _value(key: Any) -> str:
    """A document or asset as a form's value."""
    if isinstance(key, Asset):
        return urlencode({"in": key.inventory, "of": key.component})
    return str(key)


def _entry(entry: Entry, kind: str) -> dict[str, Any]:
    of = {"of": entry.key}
    if isinstance(entry.key, Asset):
        of = {"of": entry.key.component, "in": entry.key.inventory}
    return {
        "name": _name(entry.key),
        "title": entry.lines[0].title if kind == "document" else "",
        "value": _value(entry.key),
        "url": f"/matches/?{urlencode({'by': kind, **of})}",
        "counts": entry.counts,
        "others": [(name, TITLES[name], entry.counts[name]) for name in KINDS if name != kind],
        "statuses": _statuses(entry.counts),
        "revision": entry.revision if kind == "document" else "",
        "semantic": entry.semantic,
    }


def _statuses(counts: dict[str, int]) -> list[tuple[State, int]]:
    return [(state("remediation", s), counts[s]) for s in Remediation if counts[s]]


def _statistics(counts: dict[str, int]) -> list[tuple[State, int]]:
    return [(State("assets that match", "active"), counts["assets"]), *_statuses(counts)]


def _line(line: Line) -> dict[str, Any]:
    return {
        "line": line,
        "status": state("remediation", line.status),
        "verdict": state("verdict", line.verdict),
    }


@require_POST
@page(Permission.ANSWER_GIVE)
def mark(request: SignedIn) -> HttpResponse:
    """Mark one asset, or several of several notices, as one status."""
    status = request.POST.get("status", "")
    chosen = [each.partition(" ") for each in request.POST.getlist("asset")]
    by_notice: dict[str, list[str]] = {}
    for notice, _, component in chosen[:500]:
        by_notice.setdefault(notice, []).append(component)
    if not by_notice:
        messages.warning(request, "Nothing was marked: choose the assets first.")
    try:
        for notice, components in by_notice.items():
            asset_matches.mark_assets(request.actor, notice, components, status)
    except BadInput as error:
        messages.warning(request, sentences(error))
    else:
        if by_notice:
            said = label("remediation", status) if status else "as the notice was answered"
            messages.success(request, f"{len(chosen)} marked: {said}.")
    return redirect(_back(request))


@require_POST
@page(Permission.INVENTORY_EDIT)
def again(request: SignedIn) -> HttpResponse:
    """Match the chosen documents or assets anew."""
    documents = request.POST.getlist("document")
    parts = [parse_qs(each, max_num_fields=4) for each in request.POST.getlist("inventory-asset")]
    assets = [Asset(p["in"][0], p["of"][0]) for p in parts if {"in", "of"} <= p.keys()]
    try:
        told = asset_matches.match_again(request.actor, documents, assets)
    except BadInput as error:
        messages.warning(request, sentences(error))
    else:
        messages.success(request, f"{len(told)} are being matched.")
    return redirect(_back(request))


def _back(request: SignedIn) -> str:
    """The list or the line that the form stood under, by its own query."""
    query = {name: request.GET[name] for name in ("by", "of", "in", "page") if name in request.GET}
    return f"/matches/?{urlencode(query)}"
