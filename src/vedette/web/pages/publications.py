"""Publications: a draft shown to the other side, marked with reasons, published or left."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from vedette.engagement.publication import MARKS_LIMIT
from vedette.kernel.errors import NotFound
from vedette.kernel.permissions import Permission
from vedette.services import publications as service
from vedette.services.documents import act_sources
from vedette.services.sides import own_side
from vedette.web.access import SignedIn, page
from vedette.web.cells import Cell, Link, Table
from vedette.web.pages.forms import done, form_page, long_text, moment, posted, submitted
from vedette.web.pages.words import state

PASSAGES = 5
TRAIL = [("Acts", "/acts/"), ("Publications", "/publications/")]


class DraftForm(forms.Form):
    """A draft, in a form that the terms have for this side."""

    form = forms.ChoiceField(label="Form", widget=forms.RadioSelect)
    title = forms.CharField(label="Title", max_length=300)
    text = forms.CharField(
        label="Text", max_length=65_536, widget=forms.Textarea(attrs={"rows": 14})
    )

    def __init__(self, offered: tuple[str, ...], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["form"].choices = [(f, f.capitalize()) for f in offered]  # type: ignore[attr-defined]


class MarksForm(forms.Form):
    """Some passages, each with its reason; all empty means seen, with nothing to leave out."""

    def __init__(self, reasons: dict[str, str], data: QueryDict | None) -> None:
        given = {name: str(value) for name, value in (data or {}).items()}
        more = "more" in given
        there = [n for n in range(1, MARKS_LIMIT + 1) if f"passage-{n}" in given]
        self.count = min(max(there, default=0) + (PASSAGES if more else 0), MARKS_LIMIT) or PASSAGES
        # more passages: the same page again with what was written so far, and nothing is said yet
        super().__init__(None if more else data, initial=given)
        choices = [("", "Choose a reason"), *reasons.items()]
        for n in range(1, self.count + 1):
            self.fields[f"passage-{n}"] = long_text(
                f"Passage {n}", "Word for word as in the draft.", limit=65_536, rows=2
            )
            self.fields[f"reason-{n}"] = forms.ChoiceField(
                label=f"Why, for passage {n}", required=False, choices=choices
            )
            self.fields[f"words-{n}"] = long_text(
                f"In your words, for passage {n}", limit=2_000, rows=2
            )

    def given(self) -> list[dict[str, str]]:
        values = self.cleaned_data
        return [
            {
                "passage": values[f"passage-{n}"].replace("\r\n", "\n"),
                "reason": values[f"reason-{n}"],
                "words": values[f"words-{n}"],
            }
            for n in range(1, self.count + 1)
            if values[f"passage-{n}"]
        ]


class ViewsForm(forms.Form):
    """The author's view of each mark."""

    def __init__(self, marks: list[dict[str, Any]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.count = len(marks)
        for n, mark in enumerate(marks, 1):
            self.fields[f"agrees-{n}"] = forms.ChoiceField(
                label=f"Mark {n}: “{mark['passage'][:80]}”",
                help_text=f"{mark['reason_title']}: {mark['words']}",
                choices=[("yes", "We agree"), ("no", "We disagree")],
                widget=forms.RadioSelect,
            )
            self.fields[f"view-{n}"] = long_text(
                f"Your view of mark {n}", "Owed where you disagree.", limit=2_000, rows=2
            )

    def given(self) -> list[dict[str, Any]]:
        values = self.cleaned_data
        return [
            {"agrees": values[f"agrees-{n}"] == "yes", "view": values[f"view-{n}"]}
            for n in range(1, self.count + 1)
        ]


@require_GET
@page(Permission.ENGAGEMENT_READ)
def publications(request: SignedIn) -> HttpResponse:
    """All publications, newest first."""
    own_side()
    rows: list[list[Cell]] = [
        [
            Link(row["title"], f"/publications/{row['id']}/"),
            row["model"],
            f"the {row['author']}",
            state("publication", row["state"]),
            moment(row["shown_at"]),
        ]
        for row in service.publications(request.actor)
    ]
    columns = ["Title", "Model", "Author", "State", "Shown"]
    context = {
        "table": Table("Publications, newest first", columns, rows, empty="None yet."),
        "trail": [("Acts", "/acts/"), ("Publications", "")],
        "page_marking": "TLP:AMBER+STRICT",
    }
    return render(request, "pages/publications.html", context)


@require_http_methods(["GET", "POST"])
@page(Permission.PUBLICATION_WRITE)
def show(request: SignedIn, act_id: str) -> HttpResponse:
    """Show a draft to the other side."""
    own_side()
    offered = service.forms_here(request.actor, act_id)
    form = DraftForm(offered, posted(request), initial={"form": offered[0] if offered else ""})
    made = submitted(
        request,
        form,
        lambda v: service.show_draft(
            request.actor, act_id, v["form"], v["title"], v["text"].replace("\r\n", "\n")
        ),
    )
    if made is not None:
        return done(request, "Shown. Silence past the date counts as seen.", "publication", made.id)
    context = {
        "title": "Show a draft",
        "kicker": "Publication",
        "lede": "The other side sees it first, and may mark passages with reasons. You say what"
        " you think of each, and publish; or leave it at any time, without a word."
        if offered
        else "The terms in force have no form in which your side publishes. Another version of"
        " the terms can.",
        "button": "Show to the other side",
        "back": f"/acts/{act_id}/",
        "trail": [*TRAIL, ("Show a draft", "")],
        "page_marking": "TLP:AMBER+STRICT",
    }
    return form_page(request, form, context)


@require_GET
@page(Permission.ENGAGEMENT_READ)
def publication(request: SignedIn, publication_id: str) -> HttpResponse:
    """One publication: the draft, the marks with both views, what goes out."""
    own_side()
    found = service.publication_view(request.actor, publication_id)
    moves = {move["trigger"]: move["label"] for move in found["moves"]}
    context = {
        "found": found,
        "state": state("publication", found["state"]),
        "facts": [
            ("Form", found["form"]),
            ("Author", f"the {found['author']}"),
            ("Model", found["model"]),
            ("Shown", moment(found["shown_at"])),
            ("Counts as seen by silence", moment(found["seen_by"])),
            ("Ended", moment(found["ended_at"])),
        ],
        "moves": moves,
        "trail": [*TRAIL, (found["title"], "")],
        "page_marking": found["marking"],
        "page_sources": act_sources(found["act"]),
    }
    return render(request, "pages/publication.html", context)


@require_http_methods(["GET", "POST"])
@page(Permission.PUBLICATION_WRITE)
def marks(request: SignedIn, publication_id: str) -> HttpResponse:
    """The other side marks passages; the author says what it thinks of them."""
    own_side()
    found = service.publication_view(request.actor, publication_id)
    own = found["own"]
    if own and not found["marks"]:
        said = "No passage is marked: there is nothing to give a view of."
        return done(request, said, "publication", publication_id)
    form: Any = (
        ViewsForm(found["marks"], posted(request))
        if own
        else MarksForm(found["reasons"], posted(request))
    )
    call = service.settle_marks if own else service.mark_draft
    made = None
    if form.is_bound:
        made = submitted(request, form, lambda _: call(request.actor, publication_id, form.given()))
    if made is not None:
        said = "Your view stands beside each mark." if own else "The author is told."
        return done(request, said, "publication", publication_id)
    context = {
        "title": "Your view of each mark" if own else "Mark passages to leave out",
        "kicker": found["title"],
        "lede": "What was marked is left out of what goes out; your view stands beside it."
        if own
        else "Each with a reason. Without any passage the draft counts as seen. A publication can"
        " be narrowed, not stopped.",
        "button": "Say so",
        "found": found,
        "more": not own and form.count < MARKS_LIMIT,
        "back": f"/publications/{publication_id}/",
        "trail": [*TRAIL, (found["title"], f"/publications/{publication_id}/"), ("Marks", "")],
        "page_marking": found["marking"],
    }
    return form_page(request, form, context, "pages/publication_marks.html")


@require_GET
@page(Permission.ENGAGEMENT_READ)
def file(request: SignedIn, publication_id: str) -> HttpResponse:
    """What was or may be published, as a Markdown file."""
    own_side()
    text = service.publication_file(request.actor, publication_id)
    answer = HttpResponse(text, content_type="text/markdown; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{publication_id}.md"'
    return answer


DO = {
    "publish": (service.publish, "Published, with the list of what is left out."),
    "leave": (service.leave_publication, "Left. No reason is kept anywhere."),
}


@require_POST
@page(Permission.PUBLICATION_WRITE)
def move(request: SignedIn, publication_id: str, trigger: str) -> HttpResponse:
    """The author publishes or leaves it."""
    if trigger not in DO:
        raise NotFound("no such move")
    call, said = DO[trigger]
    call(request.actor, publication_id)
    return done(request, said, "publication", publication_id)
