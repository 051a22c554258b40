"""One answer to many notices, and its undoing: the same form for an operator and its delegate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect

from vedette.kernel.errors import BadInput
from vedette.services.bulk_answers import MOST_AT_ONCE, Answered
from vedette.web.access import SignedIn
from vedette.web.pages.forms import tell
from vedette.web.pages.labels import sentences
from vedette.web.pages.notice_forms import ANSWERS, AnswerForm


class Inbox(Protocol):
    """Shows an inbox's page with what was filled in."""

    def __call__(self, request: SignedIn, answer: AnswerForm, status: int, /) -> HttpResponse: ...


def answer_chosen(
    request: SignedIn,
    take: Callable[..., Answered],
    shown: Callable[[], QuerySet[Any]],
    inbox: Inbox,
    address: str,
) -> HttpResponse:
    """Answer the chosen notices, or every one that the filter shows; each is an act of its own."""
    form = AnswerForm(ANSWERS, request.POST)
    chosen = request.POST.getlist("notice")
    if request.POST.get("every"):
        chosen = list(shown().values_list("id", flat=True)[:MOST_AT_ONCE])
    if not chosen:
        form.add_error(None, "Choose the notices that you answer.")
    if not form.is_valid():
        return inbox(request, form, 422)
    try:
        made = take(request.actor, chosen, *form.answer())
    except BadInput as error:
        tell(form, error)
        return inbox(request, form, 422)
    if made.refused and not made.notices:
        tell(form, made.refused[0][1])
        return inbox(request, form, 422)
    _say(request, made, "answered")
    query = request.GET.copy()
    query["batch"] = made.batch
    return redirect(f"{address}?{query.urlencode()}")


def undo_answer(request: SignedIn, undo: Callable[..., Answered], address: str) -> HttpResponse:
    """Give the notices of one answer back what they had before."""
    made = undo(request.actor, request.POST.get("batch", ""))
    _say(request, made, "as they were before")
    query = request.GET.copy()
    query.pop("batch", None)
    return redirect(f"{address}?{query.urlencode()}")


def _say(request: SignedIn, made: Answered, what: str) -> None:
    messages.success(request, f"{len(made.notices)} {what}.")
    for _, error in made.refused[:5]:
        messages.warning(request, sentences(error))
