"""A delegate's one inbox over the operators that mandated it, and the answers given for them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from vedette.clearinghouse.mandates import MandateAct
from vedette.clearinghouse.remediation import MARKS, of_asset
from vedette.clearinghouse.states import NoticeState
from vedette.kernel.errors import BadInput, Refused
from vedette.kernel.permissions import Permission
from vedette.kernel.words import versioned
from vedette.services import delegated_names, delegates
from vedette.services.bulk_answers import MOST_AT_ONCE
from vedette.web.access import SignedIn, page
from vedette.web.cells import Column, Link, Table
from vedette.web.pages import notice_export
from vedette.web.pages.forms import done, moment, tell
from vedette.web.pages.labels import label, sentences, state
from vedette.web.pages.many_answers import answer_chosen, undo_answer
from vedette.web.pages.notice_forms import ANSWERS, AnswerForm, Filter
from vedette.web.pages.notices import name_said, notice_context, notice_row, percent

MARKING = "TLP:AMBER+STRICT"
MOST_ASSETS = 500
COLUMNS = ("operator", *notice_export.COLUMNS)


ORDERS = [("", "the most urgent first"), ("operator", "by operator")]


class OperatorsFilter(Filter):
    """Narrows the inbox to operators as well, and orders it."""

    field_order = ("operator", "show")
    operator = forms.ChoiceField(label="Operator", required=False, choices=[])
    by = forms.ChoiceField(
        label="Order",
        required=False,
        choices=ORDERS,
    )

    def __init__(self, known: list[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["operator"].choices = [("", "every operator"), *known]  # type: ignore[attr-defined]


def _filtered(
    request: SignedIn, operators: list[delegates.Operator]
) -> tuple[OperatorsFilter, QuerySet[Any]]:
    named = [(each.id, each.name) for each in operators]
    form = OperatorsFilter(named, *delegates.chosen_from(request.actor), request.GET)
    given = form.cleaned_data if form.is_valid() else {}
    return form, delegates.delegated_notices(
        request.actor,
        operator=given.get("operator", ""),
        grouped=given.get("by") == "operator",
        **form.asked(),
    )


@require_GET
@page(Permission.MANDATE_READ)
def list_notices(request: SignedIn) -> HttpResponse:
    """The inbox over all operators: what to do, in order."""
    return _inbox_page(request, AnswerForm(ANSWERS))


def _inbox_page(request: SignedIn, answer: AnswerForm, status: int = 200) -> HttpResponse:
    operators = delegates.operators(request.actor)
    known = {each.id: each.name for each in operators}
    form, rows = _filtered(request, operators)
    shown = Paginator(rows, 25).get_page(request.GET.get("page"))
    scores = delegates.likely(shown)
    may = request.actor.may(Permission.MANDATE_USE)
    batch = request.GET.get("batch", "")[:40]
    undone = len(delegates.in_batch(request.actor, batch)) if may and batch else 0
    context = {
        "page": shown,
        "rows": [
            {
                **notice_row(delegates.describe(row, known), row.matches),
                "epss": percent(scores.get(row.id)),
            }
            for row in shown
        ],
        "form": form,
        "filtered": form.narrows,
        "caption": dict(ORDERS)[form.cleaned_data["by"] if form.is_valid() else ""],
        "operators": operators_table(operators) if operators else None,
        "answer": answer,
        "chosen": request.POST.getlist("notice"),
        "most": min(shown.paginator.count, MOST_AT_ONCE),
        "undo": {"batch": batch, "count": undone} if undone else None,
        "may_answer": may,
        "base": "/delegated/",
        "page_marking": MARKING,
    }
    return render(request, "pages/delegated.html", context, status=status)


def operators_table(rows: list[delegates.Operator]) -> Table:
    """The operators whose mandates are in force, with what waits there."""
    return Table(
        "Operators that mandated you",
        [
            "Operator",
            Column("Open", numeric=True),
            Column("Late", numeric=True),
            "Mandate for",
            "Until",
        ],
        [
            [
                Link(each.name, f"/delegated/?operator={each.id}"),
                each.open,
                each.overdue,
                ", ".join(label("mandate-act", act) for act in MandateAct if act in each.acts),
                each.ends_at,
            ]
            for each in rows
        ],
    )


@require_POST
@page(Permission.MANDATE_USE)
def answer_several(request: SignedIn) -> HttpResponse:
    """One answer to the chosen notices, over operators; each is an act under its own mandate."""
    return answer_chosen(
        request,
        delegates.answer_several,
        lambda: _filtered(request, delegates.operators(request.actor))[1],
        _inbox_page,
        "/delegated/",
    )


@require_POST
@page(Permission.MANDATE_USE)
def undo_several(request: SignedIn) -> HttpResponse:
    """Give the notices of one answer back what they had before."""
    return undo_answer(request, delegates.undo, "/delegated/")


@require_http_methods(["GET", "POST"])
@page(Permission.MANDATE_READ)
def notice(request: SignedIn, notice_id: str) -> HttpResponse:
    """One notice of an operator, and the answer to it."""
    found = delegates.notice_view(request.actor, notice_id)
    answering = request.method == "POST"
    if answering:
        request.actor.require(Permission.MANDATE_USE)
    offered = found["answers"]
    if offered and found["state"] == NoticeState.DEFERRED:
        offered = [str(NoticeState.DEFERRED), *offered]
    expires = moment(found["expires_at"])
    initial = {"control": found["control"], "expires": expires.date() if expires else None}
    form = AnswerForm(offered, request.POST if answering else None, initial=initial)
    if answering and form.is_valid():
        try:
            made = delegates.answer_several(request.actor, [notice_id], *form.answer())
            if made.refused:
                raise made.refused[0][1]
        except (BadInput, Refused) as error:
            tell(form, error)
        else:
            return done(request, "The answer is kept.", "delegated-notice", notice_id)
    context = {
        **notice_context(request, found, form if offered else None, "/delegated/"),
        "may_say": found["may_say"],
        "may_verify": False,
        "assets": _assets(found) if found["may_mark"] else None,
        "marks": [(mark, label("remediation", mark)) for mark in MARKS],
        "trail": [("Operators' notices", "/delegated/"), (found["title"], "")],
        "page_marking": MARKING,
    }
    return render(request, "pages/notice.html", context, status=422 if form.errors else 200)


def _assets(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The assets that the notice is about, and how far each is."""
    names = {
        each["component"]: versioned(each["name"], each["version"]) for each in found["matches"]
    }
    return [
        {
            "component": component,
            "what": what,
            "status": state(
                "remediation", of_asset(found["marks"].get(component, ""), found["state"])
            ),
            "marked": component in found["marks"],
        }
        for component, what in sorted(names.items())[:MOST_ASSETS]
    ]


@require_POST
@page(Permission.MANDATE_USE)
def say_name(request: SignedIn, notice_id: str) -> HttpResponse:
    """Say whether an operator's asset is the product that it is matched with."""
    return name_said(request, delegated_names.say, notice_id, "delegated-notice")


@require_POST
@page(Permission.MANDATE_USE)
def mark(request: SignedIn, notice_id: str) -> HttpResponse:
    """Mark single assets of an operator's notice."""
    status, chosen = request.POST.get("status", ""), request.POST.getlist("asset")
    try:
        delegates.mark_assets(request.actor, notice_id, chosen[:MOST_ASSETS], status)
    except (BadInput, Refused) as error:
        messages.warning(request, sentences(error))
        return redirect("delegated-notice", notice_id)
    said = label("remediation", status) if status else "as the notice was answered"
    return done(request, f"{len(chosen)} marked: {said}.", "delegated-notice", notice_id)


@require_GET
@page(Permission.MANDATE_READ)
def list_inventories(request: SignedIn) -> HttpResponse:
    """What the operators run, as far as mandates cover it: which lists, and how old they are."""
    shown = Paginator(delegates.kept_inventories(request.actor), 50).get_page(
        request.GET.get("page")
    )
    table = Table(
        "Inventories of the operators",
        [
            *("Operator", "Inventory", "Site", "Format"),
            Column("Components", numeric=True),
            "Taken",
            "Could not be read",
        ],
        [
            [
                each["operator"]["name"],
                Link(each["name"], f"/delegated/?{urlencode(_of_inventory(each))}"),
                each["site"],
                each["format"],
                each["components"],
                moment(each["taken_at"]),
                _first(each["problems"]),
            ]
            for each in shown
        ],
        empty="No mandate covers an inventory yet. Operators give them on their page Mandates.",
    )
    context = {
        "table": table,
        "page": shown,
        "may_edit": request.actor.may(Permission.MANDATE_USE),
        "trail": [("Operators' notices", "/delegated/"), ("Inventories", "")],
        "page_marking": MARKING,
    }
    return render(request, "pages/delegated_inventories.html", context)


def _first(problems: list[str]) -> str:
    more = f", and {len(problems) - 1} more" if problems[1:] else ""
    return "".join(problems[:1]) + more


def _of_inventory(each: dict[str, Any]) -> dict[str, str]:
    return {"operator": each["operator"]["id"], "inventory": each["name"]}


@require_GET
@page(Permission.MANDATE_READ)
def export(request: SignedIn) -> HttpResponse:
    """The inbox as it is filtered, as CSV or JSON."""
    operators = delegates.operators(request.actor)
    known = {each.id: each.name for each in operators}
    rows = [delegates.describe(row, known) for row in _filtered(request, operators)[1]]
    return notice_export.exported(request.GET.get("format", ""), rows, COLUMNS)
