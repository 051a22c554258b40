"""Files that came and went with messages: listed, sent, downloaded."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django import forms
from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

from vedette.kernel.clock import parse_time
from vedette.kernel.errors import VedetteError
from vedette.kernel.markings import Marking
from vedette.kernel.permissions import Permission
from vedette.services import attachment_views as views
from vedette.services import attachments as service
from vedette.services.acting import Actor
from vedette.services.here import here
from vedette.services.peers import peers
from vedette.web.access import SignedIn, page
from vedette.web.cells import Cell, Code, Kind, Link, State, Table
from vedette.web.pages.forms import Files, done, form_page, long_text, submitted
from vedette.web.pages.words import joined, shortened

KINDS: dict[str, Kind] = {
    "sending": "active",
    "expected": "active",
    "sent": "done",
    "here": "done",
}
LABELS = {"pointer": "above the ceiling", "given-up": "given up for now", "expected": "on its way"}
STEP = 1024


class SendForm(forms.Form):
    """A file for another instance."""

    peer = forms.ChoiceField(label="To")
    file = forms.FileField(label="File", help_text="Of any size; it crosses in signed chunks.")
    about = forms.ChoiceField(
        label="Belongs to",
        required=False,
        help_text="It is listed there, and shares what becomes of it.",
    )
    marking = forms.CharField(label="Marking", max_length=200, initial="TLP:AMBER")
    note = long_text("Note", limit=4_000)

    def __init__(
        self,
        known: list[str],
        attachable: dict[str, list[tuple[str, str]]],
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["about"].choices = [  # type: ignore[attr-defined]
            ("", "nothing else"),
            *(
                (kind, [(name, shortened(text, 90)) for name, text in rows])
                for kind, rows in attachable.items()
            ),
        ]
        self.fields["peer"].choices = [(name, name) for name in known]  # type: ignore[attr-defined]


@require_GET
@page(Permission.ATTACHMENT_READ)
def attachments(request: SignedIn) -> HttpResponse:
    """The files of both directions, newest first; `?about=` narrows them to one act or case."""
    about = request.GET.get("about", "")[:40]
    rows = views.list_attachments(request.actor, about)
    context = {
        "rows": rows,
        "about": about,
        "may_send": request.actor.may(Permission.MESSAGE_SEND) and bool(peers(request.actor)),
        "messages_words": "What crossed as messages",
        "messages_url": "/messages/" if request.actor.may(Permission.LEDGER_READ) else "",
        "table": Table(
            "Newest first",
            ["File", "Size", "Direction", "Belongs to", "State", "Note", "Marking", "Time"],
            [_row(request.actor, row) for row in rows],
        ),
        "page_marking": joined("TLP:AMBER", *(row["marking"] for row in rows)),
    }
    return render(request, "pages/attachments.html", context)


def _row(actor: Actor, row: dict[str, Any]) -> list[Cell]:
    here = row["direction"] != "in" or row["state"] == "here"
    state = LABELS.get(row["state"], row["state"])
    if row["missing"]:
        state += f", {100 - 100 * row['missing'] // row['chunks']}%"
    return [
        Link(row["name"], f"/attachments/{row['id']}/content/", download=True)
        if here
        else row["name"],
        size(row["size"]),
        _direction(row),
        _about(actor, row["about"]),
        State(state, KINDS.get(row["state"], "attention")),
        row["reason"] or None,
        Marking.parse(row["marking"]),
        parse_time(row["at"], field="at"),
    ]


PLACES = {
    "act": ("acts", Permission.ENGAGEMENT_READ),
    "case": ("cases", Permission.CASE_READ),
    "finding": ("findings", Permission.FINDING_READ),
}


def _about(actor: Actor, name: str) -> Cell:
    """What a file belongs to, as the way there where it is open to this reader."""
    kind = name.partition("-")[0]
    place, permission = PLACES.get(kind, ("", None))
    if permission is None or not actor.may(permission):
        return name or None
    return Link(f"the {kind}", f"/{place}/{name}/")


def _direction(row: dict[str, Any]) -> str:
    if row["direction"] == "own":
        return "handed in here"
    return f"{'to' if row['direction'] == 'out' else 'from'} {row['peer']}"


def files_field(*, own: bool = False) -> Files:
    """What a form has whose act can take files along; `own` ones stay on this instance."""
    most = here().attachment_limit
    where = "Kept here with it" if own else "Beside the message, in signed chunks"
    return Files(
        label="Files that go along",
        required=False,
        limit=most,
        help_text=f"{where} and marked as it is: at most {size(most)} together.",
    )


def may_send(request: SignedIn) -> bool:
    return request.actor.may(Permission.MESSAGE_SEND)


def given(request: SignedIn) -> tuple[Any, Any]:
    """What a form with files is made with; nothing where it is only shown."""
    return (request.POST, request.FILES) if request.method == "POST" else (None, None)


def send_along(request: SignedIn, form: forms.Form, to: str, made: Any) -> None:
    """Send a form's files with the act or finding that it made; say which of them did not go.

    Without a peer to send it `to` a file stays here with the finding.
    """
    about = {"about": made.id, "marking": made.marking}
    for file in form.cleaned_data.get("files", ()):
        try:
            if to:
                service.attach(request.actor, to, file, file.name, **about)
            else:
                service.keep(request.actor, file, file.name, **about)
        except VedetteError as error:
            again = "It can be sent from Files." if to else "Report the same again with another."
            said = f"{file.name} did not go along: {error.what}. {again}"
            messages.warning(request, said)


def files_table(actor: Actor, about: str) -> Table | None:
    """The files that crossed about one act, None where there are none to be seen."""
    if not actor.may(Permission.ATTACHMENT_READ):
        return None
    rows = [
        [name, count, state, reason, Code(row["digest"]), marking]
        for row in views.list_attachments(actor, about)
        for name, count, _, _, state, reason, marking, _ in (_row(actor, row),)
    ]
    columns = ["File", "Size", "State", "Note", "Digest", "Marking"]
    return Table("Newest first", columns, rows) if rows else None


def size(count: int) -> str:
    """A number of bytes as people say it."""
    value = float(count)
    for unit in ("bytes", "KiB", "MiB"):
        if value < STEP:
            return f"{value:,.0f} {unit}"
        value /= STEP
    return f"{value:,.1f} GiB"


@require_http_methods(["GET", "POST"])
@page(Permission.MESSAGE_SEND)
def send(request: SignedIn) -> HttpResponse:
    """Send a file to a peer."""
    known = [each["name"] for each in peers(request.actor)]
    about = views.attachable(request.actor)
    form = SendForm(
        known, about, *given(request), initial={"about": request.GET.get("about", "")[:40]}
    )

    def attach(data: dict[str, Any]) -> Any:
        return service.attach(
            request.actor,
            data["peer"],
            data["file"],
            data["file"].name,
            about=data["about"],
            marking=data["marking"],
            note=data["note"],
        )

    if submitted(request, form, attach):
        return done(request, "The file is on its way.", "/attachments/")
    context = {
        "title": "Send a file",
        "lede": "What is too large for a message is attached to one: the message names the file"
        " and signs every part of it, and the other side refuses what it may not hold before the"
        " first byte.",
        "button": "Send",
        "trail": [("Files", "/attachments/"), ("Send a file", "")],
        "page_marking": "TLP:AMBER",
    }
    return form_page(request, form, context)


@require_GET
@page(Permission.ATTACHMENT_READ)
def content(request: SignedIn, attachment_id: str) -> StreamingHttpResponse:
    """A file's content, chunk by chunk; never shown by the browser itself."""
    told, chunks = views.open_attachment(request.actor, attachment_id)
    return StreamingHttpResponse(
        chunks,
        content_type="application/octet-stream",
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(told['name'])}",
            "Content-Length": str(told["size"]),
            "Cache-Control": "no-store",
        },
    )
