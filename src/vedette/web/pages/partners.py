"""Trusted partners: who is named, what each side says, sectors present or absent, waves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

from vedette.engagement.sectors import Seats, is_small
from vedette.engagement.table import Actor as Side
from vedette.kernel.errors import NotFound
from vedette.kernel.permissions import Permission
from vedette.kernel.words import counted
from vedette.services import partners as views
from vedette.services import readiness, selection
from vedette.services.here import here
from vedette.services.sides import own_side
from vedette.web.access import SignedIn, page
from vedette.web.cells import Cell, Column, Link, State, Table
from vedette.web.pages.forms import Lines, done, form_page, long_text, moment, posted, submitted
from vedette.web.pages.words import joined, state

FREE = (
    "What either side says of a partner is about that partner alone. Whom the lab shares its model"
    " with, and when, stays the lab's own affair."
)
SAID = {
    "agree": ("Agree on this partner", "Agree", "You agree on this partner."),
    "decline": ("Decline this partner", "Decline", "Declined. Nothing else follows from it."),
    "take back": ("Take your agreement back", "Take it back", "Taken back."),
}


class AnswerForm(forms.Form):
    """A reason, and what this side knows of conflicts of interest."""

    reason = long_text("Reason", "It goes to the other side. None is owed.", rows=3)
    ties = Lines(
        label="Conflicts of interest that you know of",
        required=False,
        max_length=25_000,
        help_text="One a line, such as “supplies-office: runs our help desk”. Both sides see them.",
    )

    def declared(self) -> list[dict[str, str]]:
        return read_ties(self.cleaned_data["ties"])


class WaveForm(forms.Form):
    """The lab's own choice of a wave."""

    wave = forms.IntegerField(
        label="Wave",
        required=False,
        min_value=1,
        max_value=99,
        help_text="Leave it empty to follow the rule: small operators first, then the more critical"
        " sectors.",
    )


def read_ties(lines: list[str]) -> list[dict[str, str]]:
    """`kind: words` a line; a line without a known kind is of the kind `other`."""
    kinds = {row["id"] for row in here().pack.records("partners", "ties")}
    found = []
    for line in lines:
        kind, colon, words = line.partition(":")
        known = kind.strip() in kinds
        text = words.strip() if known and colon else ("" if known else line)
        found.append({"kind": kind.strip() if known else "other", "text": text})
    return found


def partners_table(rows: list[dict[str, Any]], caption: str) -> Table:
    """Partners with what each side says."""
    return Table(
        caption,
        ["Partner", "Sector", "Lab", "Office", "Agreed by both", "To look at"],
        [
            [
                Link(row["name"], f"/partners/{row['partner']}/"),
                row["sector_title"],
                state("stance", row["lab"]["stance"]),
                state("stance", row["office"]["stance"]),
                moment(row["agreed"]),
                _to_look_at(row),
            ]
            for row in rows
        ],
        empty="Nobody is named.",
    )


def _to_look_at(row: dict[str, Any]) -> str:
    parts = [counted(len(row["concerns"]), "possible conflict")] if row["concerns"] else []
    return ", ".join(parts + (["sector criteria"] if row["advice"] else []))


def seats_table(rows: tuple[Seats, ...]) -> Table:
    """Partners by sector, with those that are visibly absent."""
    return Table(
        "Partners by sector",
        ["Sector", Column("Named", True), Column("Agreed by both", True), "Present"],
        [
            [
                row.sector.title,
                row.named,
                row.agreed,
                State("nobody yet", "attention") if row.absent else State("present", "done"),
            ]
            for row in rows
        ],
    )


@require_GET
@page(Permission.ENGAGEMENT_READ)
def partners(request: SignedIn) -> HttpResponse:
    """Everybody named, newest selection last, and the sectors."""
    own_side()
    rows = views.partners(request.actor)
    context = {
        "rows": rows,
        "table": partners_table(rows, "Partners named"),
        "seats": seats_table(views.seats_of(request.actor)),
        "is_lab": own_side() == Side.LAB,
        "note": FREE,
        "page_marking": joined("TLP:AMBER", *(row["marking"] for row in rows)),
    }
    return render(request, "pages/partners.html", context)


def _trail(found: dict[str, Any], last: str = "") -> list[tuple[str, str]]:
    trail = [("Partners", "/partners/"), (found["name"], f"/partners/{found['partner']}/")]
    return [*trail, (last, "")] if last else trail


@require_GET
@page(Permission.ENGAGEMENT_READ)
def partner(request: SignedIn, partner_id: str) -> HttpResponse:
    """One partner: what each side says, conflicts, and what this side can say."""
    own_side()
    found = views.partner_view(request.actor, partner_id)
    by = {"lab": "declared by the lab", "office": "declared by the office", "rule": "noticed here"}
    may_stage = own_side() == Side.LAB and request.actor.may(Permission.ENGAGEMENT_OFFER)
    context = {
        "found": found,
        "facts": _facts(found),
        "lab": _stance(found["lab"]),
        "office": _stance(found["office"]),
        "lab_state": state("stance", found["lab"]["stance"]),
        "office_state": state("stance", found["office"]["stance"]),
        "concerns": [(c["text"], by[c["by"]]) for c in found["concerns"]],
        "moves": [
            {**m, "url": f"/partners/{partner_id}/{m['trigger'].replace(' ', '-')}/"}
            for m in found["moves"]
        ],
        "may_stage": may_stage,
        "note": FREE,
        "trail": _trail(found),
        "page_marking": found["marking"],
    }
    return render(request, "pages/partner.html", context)


def _facts(found: dict[str, Any]) -> list[tuple[str, Cell]]:
    texts = {row["id"]: str(row["text"]) for row in here().pack.records("partners", "criteria")}
    pairs: list[tuple[str, Cell]] = [
        ("Sector", found["sector_title"]),
        ("A small operator", "yes" if found["small"] else ""),
        ("Named because", " ".join(texts.get(key, key) for key in found["criteria"])),
        ("Reason", found["reason"]),
        ("Conflicts, in the lab's words", found["conflicts"]),
        ("Selection", Link(f"for {found['model']}", f"/acts/{found['act']}/")),
        ("Agreed by both", moment(found["agreed"])),
    ]
    return [(label, value) for label, value in pairs if value not in (None, "")]


def _stance(side: dict[str, Any]) -> list[tuple[str, Cell]]:
    pairs: list[tuple[str, Cell]] = [("Since", moment(side["at"])), ("Reason", side["reason"])]
    return [(label, value) for label, value in pairs if value]


@require_http_methods(["GET", "POST"])
@page(Permission.ENGAGEMENT_READ)
def answer(request: SignedIn, partner_id: str, trigger: str) -> HttpResponse:
    """Agree on one partner, decline it, or take one's agreement back."""
    own_side()
    found = views.partner_view(request.actor, partner_id)
    trigger = trigger.replace("-", " ")
    if trigger not in SAID:
        raise NotFound("no such move")
    if not request.actor.host:
        raise NotFound("no such thing here")
    mine = Permission.ENGAGEMENT_OFFER if own_side() == Side.LAB else Permission.ENGAGEMENT_ANSWER
    request.actor.require(mine)
    title, button, said = SAID[trigger]
    own = [c for c in found["concerns"] if c["by"] == str(own_side())]
    initial = {"ties": "\n".join(f"{c['kind']}: {c['text']}" for c in own)}
    form = AnswerForm(posted(request), initial=initial)
    made = submitted(
        request,
        form,
        lambda v: selection.answer_partner(
            request.actor, partner_id, trigger, v["reason"], form.declared()
        ),
    )
    if made is not None:
        return done(request, said, "partner", partner_id)
    context = {
        "title": title,
        "kicker": found["name"],
        "lede": FREE,
        "button": button,
        "back": f"/partners/{partner_id}/",
        "trail": _trail(found, title),
        "page_marking": found["marking"],
    }
    return form_page(request, form, context)


@require_http_methods(["GET", "POST"])
@page(Permission.ENGAGEMENT_OFFER)
def wave(request: SignedIn, partner_id: str) -> HttpResponse:
    """Put a partner in a wave of the lab's own choice."""
    if own_side() != Side.LAB:
        raise NotFound("no such thing here")
    found = views.partner_view(request.actor, partner_id)
    form = WaveForm(posted(request), initial={"wave": found["wave"]})
    made = submitted(
        request, form, lambda v: selection.set_wave(request.actor, partner_id, v["wave"])
    )
    if made is not None:
        return done(request, "The wave is set. It stays on this instance.", "waves", found["act"])
    context = {
        "title": "Choose a wave",
        "kicker": found["name"],
        "lede": "Waves are yours alone, and cross to nobody.",
        "button": "Set the wave",
        "back": f"/acts/{found['act']}/waves/",
        "trail": _trail(found, "Wave"),
        "page_marking": "TLP:RED",
    }
    return form_page(request, form, context)


@require_GET
@page(Permission.ENGAGEMENT_OFFER)
def waves(request: SignedIn, act_id: str) -> HttpResponse:
    """The waves of a selection, with days where the lab has a plan."""
    staged = views.staged(request.actor, act_id)
    rows = views.partners(request.actor, act_id)
    titles = {row["partner"]: row["sector_title"] for row in rows}
    model = rows[0]["model"] if rows else ""
    plans = readiness.plans(request.actor) if request.actor.may(Permission.PLAN_READ) else []
    release = next((moment(p["partner_release"]) for p in plans if p["model"] == model), None)
    context = {
        "waves": [
            {
                "number": each.number,
                "days_after": each.days_after,
                "begins": release + timedelta(days=each.days_after) if release else None,
                "table": Table(
                    "Who is in it",
                    ["Partner", "Sector", "Small"],
                    [
                        [
                            Link(p.name, f"/partners/{p.id}/wave/"),
                            titles.get(p.id, p.sector),
                            "yes" if is_small(here().pack, p) else "",
                        ]
                        for p in each.partners
                    ],
                ),
            }
            for each in staged
        ],
        "trail": [("Acts", "/acts/"), ("Selection", f"/acts/{act_id}/"), ("Waves", "")],
        "model": model,
        "page_marking": "TLP:RED",
    }
    return render(request, "pages/waves.html", context)
