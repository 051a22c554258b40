"""What people do on a case: each act a page with its form, all from one table.

The coordinator's buttons follow the case's state table; a participant's answers follow its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpResponse
from django.views.decorators.http import require_http_methods

from vedette.clearinghouse.machine import Party
from vedette.clearinghouse.states import PARTICIPANT, ParticipantState
from vedette.kernel.clock import format_time, parse_time
from vedette.kernel.errors import BadInput, NotFound
from vedette.kernel.permissions import Permission
from vedette.services import advisories, cases, fixes, private_cases
from vedette.services.acting import Actor
from vedette.services.case_lists import invitable, places
from vedette.services.case_views import seen_case
from vedette.web.access import SignedIn, page
from vedette.web.pages.case_forms import (
    AnswerForm,
    EmbargoForm,
    EmptyForm,
    FixForm,
    InviteForm,
    MyTermsForm,
    NoteForm,
    PrivateForm,
    PublishForm,
    ReasonForm,
    SeverityForm,
)
from vedette.web.pages.forms import done, form_page, submitted
from vedette.web.pages.labels import label

Done = Callable[[Actor, str, Any], Any]


@dataclass(frozen=True)
class CaseAct:
    """One act: its form, who may do it, its words, and the service that does it."""

    name: str
    title: str
    lede: str
    button: str
    said: str
    form: type[forms.Form]
    do: Done
    permission: Permission = Permission.CASE_COORDINATE
    danger: bool = False


def _invite(actor: Actor, case_id: str, form: Any) -> Any:
    given = form.cleaned_data
    return cases.invite_participant(
        actor,
        case_id,
        given["org"],
        given["role"],
        terms=given["terms"],
        zone=given["zone"],
        days=form.days(),
    )


def _answer(actor: Actor, case_id: str, form: Any) -> Any:
    given = form.cleaned_data
    agrees = given["agree"]
    return cases.respond(actor, case_id, given["status"], given["note"], agree_to_publish=agrees)


def _my_terms(actor: Actor, case_id: str, form: Any) -> Any:
    given = form.cleaned_data
    place = places(actor, [case_id]).get(case_id)
    if place is None:
        raise BadInput("your organisation is not a participant of this case")
    heard = place.status not in (ParticipantState.INVITED, ParticipantState.SILENT)
    return cases.respond(
        actor,
        case_id,
        place.status if heard else ParticipantState.ACKNOWLEDGED,
        place.note,
        terms=given["terms"],
        zone=given["zone"],
        days=form.days(),
    )


def _deliver(actor: Actor, case_id: str, form: Any) -> Any:
    given = form.cleaned_data
    data = given["source"].read(fixes.SOURCE_LIMIT + 1)
    return fixes.deliver_fix(actor, case_id, given["version"], data, given["note"])


def _embargo(actor: Actor, case_id: str, form: Any) -> Any:
    given = form.cleaned_data
    since = given["exploited_since"]
    return cases.set_embargo_facts(
        actor,
        case_id,
        extension_asked=given["extension_asked"],
        exploited_since=format_time(since) if since else None,
    )


def _publish(actor: Actor, case_id: str, form: Any) -> Any:
    given = form.cleaned_data
    return advisories.publish_advisory(
        actor,
        case_id,
        title=given["title"],
        summary=given["summary"],
        details=given["details"],
        priority={name: given[name] for name in ("kev", "automatable", "impact")},
        aliases=given["aliases"] or [],
        corrects=given["corrects"] or [],
        remedy=given["remedy"],
        reason=given["reason"],
    )


ACTS: dict[str, CaseAct] = {
    act.name: act
    for act in (
        CaseAct(
            "invite",
            "Invite to the case",
            "It sees the case, its notes and its own place; not who else takes part. Opening the"
            " link in its mail changes nothing.",
            "Invite",
            "It is invited, and the clock of its silence runs.",
            InviteForm,
            _invite,
        ),
        CaseAct(
            "public-fix",
            "Record the public fix",
            "The release that our execution ran without a crash is entered as the verified fix.",
            "Record it",
            "The fix is recorded and verified by execution.",
            EmptyForm,
            lambda actor, case_id, form: fixes.verify_upstream_fix(actor, case_id),
        ),
        CaseAct(
            "publish",
            "Publish an advisory",
            "It is written in CSAF and OSV, checked, public to everybody, and part of the next"
            " index that operators pull.",
            "Publish it",
            "The advisory is published.",
            PublishForm,
            _publish,
            Permission.ADVISORY_PUBLISH,
        ),
        CaseAct(
            "close",
            "Close the case",
            "It can be opened again.",
            "Close the case",
            "The case is closed.",
            ReasonForm,
            lambda actor, case_id, form: cases.close_case(
                actor, case_id, form.cleaned_data["reason"]
            ),
            danger=True,
        ),
        CaseAct(
            "open-again",
            "Open the case again",
            "It starts anew as an open case, with all that it holds.",
            "Open it again",
            "The case is open again.",
            ReasonForm,
            lambda actor, case_id, form: cases.open_again(
                actor, case_id, form.cleaned_data["reason"]
            ),
        ),
        CaseAct(
            "embargo",
            "Change the embargo's facts",
            "The hours follow from everybody's terms; here you say what has happened.",
            "Change them",
            "The hours are worked out anew.",
            EmbargoForm,
            _embargo,
        ),
        CaseAct(
            "private",
            "Open for private matching",
            "Operators with early warning who run the product learn that this case exists: its id,"
            " the product, the affected and fixed versions, the marking and the embargo's hour;"
            " not its title, its findings or who takes part. Whoever of them tries every product's"
            " name can learn that this one is under embargo. What was told once stays told.",
            "Open it",
            "The case is open for private matching.",
            PrivateForm,
            lambda actor, case_id, form: private_cases.open_in_private(
                actor, case_id, secret=form.cleaned_data["secret"]
            ),
        ),
        CaseAct(
            "private-close",
            "Close private matching",
            "No question is answered with this case from now on. What was told stays told.",
            "Close it",
            "The case is closed for private matching.",
            EmptyForm,
            lambda actor, case_id, form: private_cases.close_in_private(actor, case_id),
        ),
        CaseAct(
            "answer",
            "Answer",
            "You can change your answer at any time.",
            "Answer",
            "Your answer is kept.",
            AnswerForm,
            _answer,
            Permission.CASE_RESPOND,
        ),
        CaseAct(
            "terms",
            "Your terms",
            "Kept word for word. The case follows the strictest of all parties' terms.",
            "Keep them",
            "Your terms are kept.",
            MyTermsForm,
            _my_terms,
            Permission.CASE_RESPOND,
        ),
        CaseAct(
            "fix",
            "Deliver a fix",
            "Every crash input of the case is run on it in fresh sandboxes.",
            "Deliver it",
            "The fix is kept, and waits for its execution.",
            FixForm,
            _deliver,
            Permission.CASE_RESPOND,
        ),
        CaseAct(
            "note",
            "Write a note",
            "Everybody who takes part reads it.",
            "Write it",
            "The note is kept.",
            NoteForm,
            lambda actor, case_id, form: cases.note(actor, case_id, form.cleaned_data["text"]),
            Permission.CASE_RESPOND,
        ),
        CaseAct(
            "severity",
            "Judge the severity",
            "Your claim stands beside the others'; none replaces another's.",
            "Add it",
            "Your claim stands beside the others'.",
            SeverityForm,
            lambda actor, case_id, form: cases.add_severity(
                actor, case_id, form.cleaned_data["vector"], form.cleaned_data["reason"]
            ),
            Permission.CASE_RESPOND,
        ),
    )
}
# The coordinator's moves of the state table, each with the act that makes it.
MOVES: dict[str, CaseAct] = {
    "notify vendor": ACTS["invite"],
    "record public fix": ACTS["public-fix"],
    "deliver fix": ACTS["public-fix"],
    "publish": ACTS["publish"],
    "close": ACTS["close"],
    "open again": ACTS["open-again"],
}


def answer_form(place: Any) -> AnswerForm:
    """The participant's form with the answers it has now."""
    form = AnswerForm(initial={"agree": place.agreed_to_publish, "note": place.note})
    _offer_answers(form, place)
    return form


def _offer_answers(form: forms.Form, place: Any) -> None:
    """Every answer that the participant's table has now, and the one that stands."""
    targets = [row.target for row in PARTICIPANT.moves(place.status, Party.VENDOR)]
    if place.status not in (ParticipantState.INVITED, ParticipantState.SILENT):
        targets.insert(0, place.status)
    named = [(name, label("participant", name).removeprefix("answered: ")) for name in targets]
    form.fields["status"].choices = named  # type: ignore[attr-defined]


def _prepare(form: Any, name: str, actor: Actor, case: Any) -> None:
    """Fill in what a form offers, and what it begins with."""
    if name == "invite":
        known = [(org.id, f"{org.name} ({org.kind})") for org in invitable(actor, case.id)]
        form.fields["org"].choices = [("", "choose"), *known]
    elif name == "answer":
        place = places(actor, [case.id]).get(case.id)
        if place is None:
            raise NotFound("your organisation is not a participant of this case")
        _offer_answers(form, place)
    elif name == "terms":
        place = places(actor, [case.id]).get(case.id)
        if place is None:
            raise NotFound("your organisation is not a participant of this case")
        form.initial = {"terms": place.terms, "zone": place.zone, **place.days}
    elif name == "embargo":
        since = case.facts.get("exploited_since")
        form.initial = {
            "extension_asked": bool(case.facts.get("extension_asked")),
            "exploited_since": parse_time(since, field="exploited_since") if since else None,
        }
    elif name == "publish":
        form.initial = {"title": case.title, "summary": case.summary[:1_000]}


@require_http_methods(["GET", "POST"])
@page(Permission.CASE_READ)
def act(request: SignedIn, case_id: str, name: str) -> HttpResponse:
    """One act on a case, on a page of its own."""
    case = seen_case(request.actor, case_id)
    known = ACTS.get(name)
    if known is None:
        raise NotFound("no such act")
    request.actor.require(known.permission)
    posted = request.method == "POST"
    form = known.form(request.POST if posted else None, request.FILES if posted else None)
    _prepare(form, name, request.actor, case)
    result = submitted(request, form, lambda _: known.do(request.actor, case_id, form))
    if result is not None:
        return done(request, known.said, "case", case_id)
    context = {
        "title": known.title,
        "kicker": case.title[:120],
        "lede": known.lede,
        "button": known.button,
        "danger": known.danger,
        "back": f"/cases/{case_id}/",
        "trail": [
            ("Cases", "/cases/"),
            (case.title[:60], f"/cases/{case_id}/"),
            (known.title, ""),
        ],
        "page_marking": case.marking,
    }
    return form_page(request, form, context)
