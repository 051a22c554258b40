"""A publication about a window: shown to the other side first, redacted with reasons, then out.

Rules:
- Who may publish what in which form stands in the terms, by the pack's words.
- The other side marks passages of the draft, each with a reason of the pack's list and words of
  its own, once; together they leave a share of the draft standing. The author says beside each
  whether it agrees. What is published says where something is left out, for what kind of reason,
  and what the author thinks of it.
- Silence past the pack's days means that the draft counts as seen. Nobody's word is needed for a
  publication to go out, and nothing here waits for the other side but those days.
- The author leaves a publication at any time before, without a word: no reason is asked or kept.
- No row reads or writes a date of anybody's plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from vedette.engagement.table import Actor, Row, Table
from vedette.kernel.classification import Block
from vedette.kernel.errors import BadInput, Refused
from vedette.kernel.events import Event
from vedette.kernel.markings import CLEAR, Marking
from vedette.kernel.packs import PolicyPack
from vedette.kernel.permissions import Permission
from vedette.kernel.portions import portion_mark

TEXT_LIMIT = 65_536
MARKS_LIMIT = 100
LEFT_OUT = "[left out: {title}]"


class PublicationState(StrEnum):
    SHOWN = "shown"
    SEEN = "seen"
    MARKED = "marked"
    SETTLED = "settled"
    PUBLISHED = "published"
    LEFT = "left"


S, E = PublicationState, Event
_lab = partial(Row, Actor.LAB, Permission.PUBLICATION_WRITE)
_office = partial(Row, Actor.OFFICE, Permission.PUBLICATION_WRITE)
_clock = partial(Row, Actor.CLOCK, None)


def _both(
    trigger: str, source: PublicationState, target: PublicationState, event: Event, label: str
) -> tuple[Row, Row]:
    """A move that the author, or the reader, takes on whichever side it is."""
    return (
        _lab(trigger, source, target, event, label),
        _office(trigger, source, target, event, label),
    )


PUBLICATION = Table(
    "publication",
    S.SHOWN,
    (
        _clock("silence", S.SHOWN, S.SEEN, E.PUBLICATION_DRAFT_SEEN, "Seen by silence"),
        *_both("mark", S.SHOWN, S.MARKED, E.PUBLICATION_DRAFT_MARKED, "Mark passages"),
        *_both("mark", S.SEEN, S.MARKED, E.PUBLICATION_DRAFT_MARKED, "Mark passages"),
        *_both("see", S.SHOWN, S.SEEN, E.PUBLICATION_DRAFT_SEEN, "Seen, nothing to mark"),
        *_both("settle", S.MARKED, S.SETTLED, E.PUBLICATION_DRAFT_SETTLED, "Say what you think"),
        *_both("publish", S.SEEN, S.PUBLISHED, E.PUBLICATION_TEXT_PUBLISHED, "Publish"),
        *_both("publish", S.SETTLED, S.PUBLISHED, E.PUBLICATION_TEXT_PUBLISHED, "Publish"),
        *_both("leave", S.SHOWN, S.LEFT, E.PUBLICATION_DRAFT_LEFT, "Leave it"),
        *_both("leave", S.SEEN, S.LEFT, E.PUBLICATION_DRAFT_LEFT, "Leave it"),
        *_both("leave", S.MARKED, S.LEFT, E.PUBLICATION_DRAFT_LEFT, "Leave it"),
        *_both("leave", S.SETTLED, S.LEFT, E.PUBLICATION_DRAFT_LEFT, "Leave it"),
    ),
)
AUTHORS = ("settle", "publish", "leave")


@dataclass(frozen=True)
class Mark:
    """A passage that the other side would leave out; `agrees` and `view` are the author's."""

    passage: str
    reason: str
    words: str
    agrees: bool | None = None
    view: str = ""


def forms_for(pack: PolicyPack, agreed: str, side: Actor) -> tuple[str, ...]:
    """Return the forms in which `side` may publish under the terms' word on publication."""
    rows = {row["id"]: row for row in pack.records("terms", "publication")}
    forms = rows[agreed]["forms"] if agreed in rows else {}
    return tuple(form for form, sides in forms.items() if str(side) in sides)


def check_draft(pack: PolicyPack, agreed: str, side: Actor, form: str, text: str) -> None:
    """Raise where this side may not show a draft of this form, or the draft is no text."""
    forms = forms_for(pack, agreed, side)
    if form not in forms:
        allowed = ", ".join(forms) or "nothing"
        raise Refused(
            f"under these terms the {side} publishes {allowed}",
            kept="your draft, with you",
            next_step="agree on another form in a version of the terms",
        )
    if not text.strip() or len(text) > TEXT_LIMIT:
        raise BadInput(f"text: 1 to {TEXT_LIMIT:,} characters expected")


def check_marks(pack: PolicyPack, text: str, marks: Sequence[Mark]) -> None:
    """Raise BadInput, naming the mark, where marks are none of this draft under the pack."""
    reasons = reasons_of(pack)
    if not 1 <= len(marks) <= MARKS_LIMIT:
        raise BadInput(f"marks: 1 to {MARKS_LIMIT} expected")
    for number, mark in enumerate(marks, 1):
        if not mark.passage.strip() or mark.passage not in text:
            raise BadInput(f"marks: passage {number} is not in the draft word for word")
        if mark.reason not in reasons:
            raise BadInput(f"marks: the reason of {number} is none of {', '.join(reasons)}")
        if not mark.words.strip():
            raise BadInput(f"marks: say in some words why {number} should be left out")
    most = pack.integer("terms", "publishing", "redacted_percent")
    share = sum(end - start for start, end, _ in _spans(text, marks)) * 100
    if share > most * len(text):
        raise BadInput(
            f"marks: more than {most} percent of the draft",
            next_step="mark less; a publication can be narrowed, not stopped",
        )


def reasons_of(pack: PolicyPack) -> dict[str, str]:
    """The reasons for which a passage may be left out: title by id."""
    return {row["id"]: row["title"] for row in pack.records("terms", "publishing", "reasons")}


def _spans(text: str, marks: Iterable[Mark]) -> list[tuple[int, int, tuple[str, ...]]]:
    """Where the marks are, joined where they overlap or touch: start, end, their reasons."""
    found = []
    for mark in marks:
        start = text.find(mark.passage)
        while mark.passage and start >= 0:
            found.append((start, start + len(mark.passage), (mark.reason,)))
            start = text.find(mark.passage, start + len(mark.passage))
    joined: list[tuple[int, int, tuple[str, ...]]] = []
    for start, end, reasons in sorted(found):
        if joined and start <= joined[-1][1]:
            first, last, before = joined[-1]
            joined[-1] = first, max(last, end), tuple(dict.fromkeys(before + reasons))
        else:
            joined.append((start, end, reasons))
    return joined


def redacted(pack: PolicyPack, text: str, marks: Iterable[Mark]) -> str:
    """Return the draft without what is marked, saying at each place for what kind of reason."""
    titles, parts, at = reasons_of(pack), [], 0
    for start, end, reasons in _spans(text, marks):
        title = "; ".join(titles.get(reason, reason) for reason in reasons)
        parts += [text[at:start], LEFT_OUT.format(title=title)]
        at = end
    return "".join([*parts, text[at:]])


def file_marking(state: str, marking: Marking) -> Marking:
    """The marking of a publication's file: what is published is TLP:CLEAR, as both sides let it
    go; a classification or a control stays, since only its authority lifts it."""
    free = state == PublicationState.PUBLISHED and not marking.level and not marking.compartments
    return CLEAR if free else marking


def as_markdown(document: Mapping[str, Any], marking: Marking, block: Block | None = None) -> str:
    """What goes out (see `published`) as a Markdown file: text, what is left out and why.

    It bears its marking at top and bottom, a mark before each portion, and the block if it has one.
    """
    banner, mark = f"**{marking}**", portion_mark(marking)
    lines = [banner, "", f"# {mark} {document['title']}", ""]
    lines += [f"_{mark} By the {document['author']}: {document['form']}._", ""]
    lines += [f"- {label}: {text}" for label, text in block.lines] if block else []
    lines += [f"- Source: {source}" for source in block.sources] if block else []
    lines += [""] if block else []
    lines += [f"{mark} {str(document['text']).strip()}", "", "## Left out", ""]
    for one in document["left_out"]:
        agrees = {True: "The author agrees.", False: "The author disagrees."}
        said = agrees.get(one["author_agrees"], "The author has not said what it thinks.")
        view = " ".join(str(one["author_view"]).split())
        lines.append(f"{one['number']}. {mark} {one['reason']}. {said} {view}".rstrip())
    lines += [""] if document["left_out"] else []
    return "\n".join([*lines, f"{mark} {document['note']}", "", banner, ""])


def published(
    pack: PolicyPack, title: str, form: str, author: str, text: str, marks: Sequence[Mark]
) -> dict[str, Any]:
    """Return what goes out: the text and its list of what is left out, without the passages."""
    titles = reasons_of(pack)
    return {
        "title": title,
        "form": form,
        "author": author,
        "text": redacted(pack, text, marks),
        "left_out": [
            {
                "number": number,
                "reason": titles.get(mark.reason, mark.reason),
                "author_agrees": mark.agrees,
                "author_view": mark.view,
            }
            for number, mark in enumerate(marks, 1)
        ],
        "note": "Reasons for what is left out were given to the author and are kept by both sides."
        if marks
        else "Nothing was left out at the other side's wish.",
    }
