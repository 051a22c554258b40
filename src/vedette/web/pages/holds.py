"""Records and legal holds: set on an act's material or on an extract, and lifted."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from vedette.kernel.markings import AMBER
from vedette.kernel.permissions import Permission
from vedette.services import consultations, custody_views, holds, review_views
from vedette.services.here import here
from vedette.services.hold_views import find_hold
from vedette.web.access import SignedIn, page
from vedette.web.cells import State
from vedette.web.pages.forms import Hour, done, form_page, long_text, moment, posted, submitted
from vedette.web.pages.words import act_noun


class HoldForm(forms.Form):
    """A hold; both sides see every word of it."""

    kind = forms.ChoiceField(label="Kind", widget=forms.RadioSelect)
    basis = forms.CharField(
        label="Basis", max_length=300, help_text="The law, case or order that it rests on."
    )
    authority = forms.CharField(
        label="Authority", max_length=300, help_text="Who decided it: an office or a function."
    )
    until = Hour(label="Until", required=False, help_text="In UTC. Empty: until it is lifted.")
    text = long_text("Note", "It goes to the other side with the hold.", rows=3)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = here().pack.records("custody", "hold_kinds")
        kinds = [(row["id"], f"{row['title']}: {row['text']}") for row in rows]
        self.fields["kind"].choices = kinds  # type: ignore[attr-defined]


class LiftForm(forms.Form):
    """Why a hold is lifted."""

    reason = long_text("Reason", "It goes to the other side. None is owed.", rows=3)


def hold_cards(holds: list[dict[str, Any]], may_hold: bool) -> list[dict[str, Any]]:
    """Holds as pages show them: tag, facts, and whether this reader may lift it."""
    looks = {"in force": "attention", "lifted": "ended", "ended": "ended"}
    return [
        {
            **hold,
            "tag": State(hold["state"], looks[hold["state"]]),  # type: ignore[arg-type]
            "facts": [
                (label, value)
                for label, value in (
                    ("Basis", hold["basis"]),
                    ("Authority", hold["authority"]),
                    ("Set by", f"{hold['set_by']}, for {hold['behalf'] or 'the ' + hold['side']}"),
                    ("From", moment(hold["from"])),
                    ("Until", moment(hold["until"]) or "open: until it is lifted"),
                    ("Note", hold["note"] or None),
                    ("Lifted", moment(hold["lifted_at"])),
                    ("Lifted by", hold["lifted_by"] or None),
                    ("Reason", hold["lift_reason"] or None),
                )
                if value is not None
            ],
            "may_lift": may_hold and hold["own"] and hold["state"] == "in force",
        }
        for hold in holds
    ]


REVIEWS = ("Reviews", "/reviews/")
SECONDED = "Proposed. It is done when a colleague seconds it."


@require_http_methods(["GET", "POST"])
@page(Permission.CUSTODY_HOLD)
def hold(request: SignedIn, act_id: str) -> HttpResponse:
    """Hold what is held of an act."""
    found = custody_views.custody_view(request.actor, act_id)
    take = partial(holds.set_hold, request.actor, act_id)
    lede = (
        "Destruction waits while a hold is in force. Both sides see who set it, and on what"
        " basis. It changes no date of the lab, and no window."
    )
    return _set(request, take, found, lede, ("Custody", "/custody/"), f"/custody/{act_id}/")


@require_http_methods(["GET", "POST"])
@page(Permission.CUSTODY_HOLD)
def hold_extract(request: SignedIn, consultation_id: str) -> HttpResponse:
    """Hold an extract that another office shared back from destruction."""
    found = consultations.consultation_view(request.actor, consultation_id)
    take = partial(holds.set_extract_hold, request.actor, consultation_id)
    lede = (
        "This office keeps the extract while the hold is in force, whatever its lead asks. The lead"
        " and the lab see who set it, and on what basis."
    )
    return _set(request, take, found, lede, REVIEWS, f"/consultations/{consultation_id}/")


@require_http_methods(["GET", "POST"])
@page(Permission.CUSTODY_HOLD)
def hold_as_guest(request: SignedIn, review_id: str) -> HttpResponse:
    """Hold the material of a review that this office takes part in back from destruction."""
    found = review_views.review_view(request.actor, review_id, on_page=True)
    take = partial(holds.set_guest_hold, request.actor, review_id)
    lede = (
        "Your office has no copy of its own: the lead keeps what was shared under this act while"
        " the hold is in force. The lead and the lab see who set it, and on what basis; only your"
        " office lifts it."
    )
    return _set(request, take, found, lede, REVIEWS, f"/reviews/{review_id}/")


def _set(
    request: SignedIn,
    take: Callable[..., Any],
    found: dict[str, Any],
    lede: str,
    root: tuple[str, str],
    back: str,
) -> HttpResponse:
    form = HoldForm(posted(request), initial={"kind": "records"})
    if submitted(request, form, lambda v: take(**v)) is not None:
        messages.success(request, "The hold is in force; the other side is told, with its basis.")
        return redirect(back)
    return form_page(request, form, _context("Set a hold", found, lede, root, back))


def _context(
    title: str, found: dict[str, Any], lede: str, root: tuple[str, str], back: str
) -> dict[str, Any]:
    return {
        "title": title,
        "kicker": f"{act_noun(found['kind']).capitalize()} for {found['model']}",
        "lede": lede,
        "button": title,
        "back": back,
        "trail": [root, *([] if back == root[1] else [(found["model"], back)]), (title, "")],
        "page_marking": found.get("marking", str(AMBER)),
    }


@require_http_methods(["GET", "POST"])
@page(Permission.CUSTODY_HOLD)
def lift(request: SignedIn, hold_id: str) -> HttpResponse:
    """Lift a hold of one's own."""
    row, found = find_hold(request.actor, hold_id)
    form = LiftForm(posted(request))
    root, back = _stands_at(request, row)
    made = submitted(request, form, lambda v: holds.lift_hold(request.actor, hold_id, v["reason"]))
    if custody_views.waits(made):
        return done(request, SECONDED, "seconds")
    if made is not None:
        messages.success(request, "The hold is lifted; the other side is told.")
        return redirect(back)
    lede = (
        f"{found['kind']}: {found['basis']}. Once it is lifted, material that is due, or that its"
        " office asked to have destroyed, is destroyed."
    )
    about = {**found, "kind": found["act_kind"]}
    return form_page(request, form, _context("Lift the hold", about, lede, root, back))


def _stands_at(request: SignedIn, row: Any) -> tuple[tuple[str, str], str]:
    """Where a hold stands: the list, and the page."""
    if row.consultation_id:
        return REVIEWS, f"/consultations/{row.consultation_id}/"
    if request.actor.host:
        return ("Custody", "/custody/"), f"/custody/{row.act_id}/"
    return REVIEWS, REVIEWS[1]
