"""Publications: a draft shown, marked, settled, published or left; the rules are the pure room's.

Rules:
- Who shows a draft is its author; the other side marks it. Both keep draft, marks and views.
- The pack's days of silence count from the hour at which the draft was shown.
- What the author published is published, whatever was under way on the other side: marks that
  come after it, or after the author left, are kept and change nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from vedette.engagement import publication as rules
from vedette.engagement.publication import AUTHORS, PUBLICATION, Mark, PublicationState
from vedette.engagement.table import Actor as Side
from vedette.engagement.table import Row
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.clock import parse_time
from vedette.kernel.errors import BadInput, NotFound, Refused
from vedette.kernel.events import Event
from vedette.kernel.ids import new_id
from vedette.kernel.markings import Marking
from vedette.kernel.permissions import Permission
from vedette.services.acting import Actor, Doing, act, instance_actor, reading
from vedette.services.binding import require_reading
from vedette.services.document_kinds import act_source
from vedette.services.documents import leaving_block
from vedette.services.inbox import Arrival, NotYet, handles
from vedette.services.jobs import job, schedule
from vedette.services.packs import pack_of
from vedette.services.sides import arrived_act, find_act, note, only, own_side, stamp
from vedette.services.term_versions import agreed_terms
from vedette.store.models import Act, Publication, PublicationMark

OVER = (PublicationState.PUBLISHED, PublicationState.LEFT)


def show_draft(actor: Actor, act_id: str, form: str, title: str, text: str) -> Publication:
    """Show a draft to the other side. `form` is one that the terms in force have for this side."""
    with act(actor, Permission.PUBLICATION_WRITE) as doing:
        only(doing.here.profile, actor)
        row, side = find_act(act_id), own_side()
        require_reading(actor, row)
        terms = agreed_terms(row)
        if terms is None:
            raise Refused("no terms say who may publish what", kept="your draft, with you")
        rules.check_draft(pack_of(terms.pack_digest), terms.publication, side, form, text)
        if not title.strip():
            raise BadInput("title: 1 to 300 characters expected")
        body = {
            "publication": new_id("publication"),
            "act": row.id,
            "form": form,
            "title": note(title.strip(), "title", 300),
            "text": text,
            "digest": digest(text.encode()),
        }
        message_id = doing.send(
            row.peer, "publication.shown", body, thread=row.id, marking=row.marking
        )
        return _keep(doing, row, side, body, terms.pack_digest, doing.now, message_id)


def _keep(
    doing: Doing,
    row: Act,
    author: Side,
    body: Mapping[str, Any],
    pack_digest: str,
    shown_at: datetime,
    message_id: str,
) -> Publication:
    days = pack_of(pack_digest).integer("terms", "publishing", "silence_days")
    made = Publication(
        id=body["publication"],
        org_id=row.org_id,
        act=row,
        author=str(author),
        state=PUBLICATION.initial,
        pack_digest=pack_digest,
        shown_at=shown_at,
        seen_by=shown_at + timedelta(days=days),
        marking=row.marking,
        **{name: body[name] for name in ("form", "title", "text", "digest")},
    )
    made.save(force_insert=True)
    _record(doing, made, Event.PUBLICATION_DRAFT_SHOWN, message_id)
    schedule(f"publication {made.id} silence", silence, made.seen_by, publication_id=made.id)
    return made


def _record(doing: Doing, made: Publication, event: Event, message_id: str = "") -> None:
    payload = {"digest": made.digest, "state": made.state}
    doing.record(event, made.id, payload, marking=made.marking, message_id=message_id)


@job()
def silence(publication_id: str) -> None:
    """Count a draft as seen at its hour. Idempotent."""
    with act(instance_actor(), None) as doing:
        made = Publication.objects.select_for_update().filter(id=publication_id).first()
        if made is not None and made.state == PublicationState.SHOWN and made.seen_by <= doing.now:
            _take(doing, made, PUBLICATION.step(made.state, "silence", Side.CLOCK))


def _take(doing: Doing, made: Publication, move: Row, message_id: str = "") -> None:
    made.state = move.target
    if move.target in OVER:
        made.ended_at = doing.now
    made.save()
    _record(doing, made, move.event, message_id)


def _moving(actor: Actor, publication_id: str, trigger: str) -> tuple[Publication, Row]:
    """The publication, locked, and the move that this side takes of it."""
    rows = Publication.objects.select_related("act", "act__peer")
    made = rows.select_for_update(of=("self",)).filter(id=publication_id).first()
    if made is None or not (actor.host or actor.system):
        raise NotFound(f"publication {publication_id[:40]!r} is not here")
    require_reading(actor, made.act)
    own = made.author == str(own_side())
    if (trigger in AUTHORS) != own:
        whose = "its author's" if trigger in AUTHORS else "the other side's"
        raise Refused(f"this move is {whose}", kept="the publication as it was")
    return made, PUBLICATION.step(made.state, trigger, own_side())


def _send(doing: Doing, made: Publication, type_: str, body: Mapping[str, Any]) -> str:
    content = {"publication": made.id, **body}
    return doing.send(made.act.peer, type_, content, thread=made.act_id, marking=made.marking)


def marks_of(made: Publication) -> list[Mark]:
    return [
        Mark(row.passage, row.reason, row.words, row.agrees, row.view)
        for row in made.marks.order_by("number")
    ]


def mark_draft(
    actor: Actor, publication_id: str, marks: Iterable[Mapping[str, str]] = ()
) -> Publication:
    """Say what to leave out of the other side's draft: `{"passage", "reason", "words"}` each.

    Without marks the draft counts as seen, with nothing to leave out.
    """
    try:
        found = [Mark(m["passage"], m["reason"], note(m["words"], "words", 2000)) for m in marks]
    except KeyError as error:
        raise BadInput(f"marks: {error} missing") from None
    with act(actor, Permission.PUBLICATION_WRITE) as doing:
        made, move = _moving(actor, publication_id, "mark" if found else "see")
        body = {
            "marks": [{"passage": m.passage, "reason": m.reason, "words": m.words} for m in found]
        }
        _mark(doing, made, found)
        _take(doing, made, move, _send(doing, made, "publication.marked", body))
        return made


def _mark(doing: Doing, made: Publication, marks: list[Mark]) -> None:
    if marks:
        rules.check_marks(pack_of(made.pack_digest), made.text, marks)
    if made.marks.exists():
        raise Refused("this draft was marked already", kept="the marks as they are")
    for number, mark in enumerate(marks, 1):
        PublicationMark(
            org_id=made.org_id,
            publication=made,
            number=number,
            passage=mark.passage,
            reason=mark.reason,
            words=mark.words,
        ).save(force_insert=True)


def settle_marks(
    actor: Actor, publication_id: str, views: Iterable[Mapping[str, Any]]
) -> Publication:
    """The author says of each mark, in order, whether it agrees: `{"agrees", "view"}` each."""
    given = [
        {"agrees": bool(v["agrees"]), "view": note(str(v.get("view", "")), "view", 2000)}
        for v in views
    ]
    with act(actor, Permission.PUBLICATION_WRITE) as doing:
        made, move = _moving(actor, publication_id, "settle")
        _settle(made, given)
        _take(doing, made, move, _send(doing, made, "publication.settled", {"views": given}))
        return made


def _settle(made: Publication, views: list[dict[str, Any]]) -> None:
    rows = list(made.marks.order_by("number"))
    if len(rows) != len(views):
        raise BadInput(f"views: {len(views)} given for {len(rows)} marks")
    for row, view in zip(rows, views, strict=True):
        if not view["agrees"] and not view["view"].strip():
            raise BadInput(f"views: say in some words why you disagree with {row.number}")
        row.agrees, row.view = view["agrees"], view["view"]
        row.save()


def publish(actor: Actor, publication_id: str) -> Publication:
    """The author publishes: the text without what is marked, with the list of what is left out."""
    with act(actor, Permission.PUBLICATION_WRITE) as doing:
        made, move = _moving(actor, publication_id, "publish")
        pack = pack_of(made.pack_digest)
        made.document = rules.published(
            pack, made.title, made.form, made.author, made.text, marks_of(made)
        )
        body = {"document": made.document, "digest": digest(canonical(made.document))}
        _take(doing, made, move, _send(doing, made, "publication.published", body))
        return made


def leave_publication(actor: Actor, publication_id: str) -> Publication:
    """The author leaves it, without a word; nothing of it is anybody's fault."""
    with act(actor, Permission.PUBLICATION_WRITE) as doing:
        made, move = _moving(actor, publication_id, "leave")
        _take(doing, made, move, _send(doing, made, "publication.left", {}))
        return made


@handles("publication.shown")
def on_shown(arrival: Arrival) -> None:
    """The other side shows a draft."""
    row, body, doing = arrived_act(arrival), arrival.body, arrival.doing
    if Publication.objects.filter(id=body["publication"]).exists():
        raise Refused(f"{body['publication']} is here already", kept="it as it was")
    terms = agreed_terms(row)
    if terms is None:
        raise NotYet("the terms signed by both have not arrived")
    if digest(body["text"].encode()) != body["digest"]:
        raise Refused("the digest is not that of the draft", kept="the message")
    other = _other()
    pack = pack_of(terms.pack_digest)
    rules.check_draft(pack, terms.publication, other, body["form"], body["text"])
    shown_at = min(doing.now, parse_time(arrival.message.sent_at, field="sent_at"))
    _keep(doing, row, other, body, terms.pack_digest, shown_at, arrival.message.id)


def _other() -> Side:
    return Side.OFFICE if own_side() == Side.LAB else Side.LAB


def _arrived(arrival: Arrival, *, own: bool) -> Publication:
    """The publication that a message is about, with that peer; `own` where this side is author."""
    rows = Publication.objects.select_related("act", "act__peer").select_for_update(of=("self",))
    made = rows.filter(id=arrival.body["publication"], act__peer_id=arrival.peer.keyid).first()
    if made is None:
        raise NotYet(f"publication {arrival.body['publication']} has not arrived")
    if own != (made.author == str(own_side())):
        raise Refused("this is not for that side to say", kept="the message")
    return made


@handles("publication.marked")
def on_marked(arrival: Arrival) -> None:
    """The other side's marks arrive; after the end they are kept and change nothing."""
    made = _arrived(arrival, own=True)
    marks = [Mark(m["passage"], m["reason"], m["words"]) for m in arrival.body["marks"]]
    _mark(arrival.doing, made, marks)
    if made.state in OVER or (not marks and made.state != PublicationState.SHOWN):
        return
    move = PUBLICATION.step(made.state, "mark" if marks else "see", _other())
    _take(arrival.doing, made, move, arrival.message.id)


@handles("publication.settled")
def on_settled(arrival: Arrival) -> None:
    """The author's view of each mark arrives."""
    made = _arrived(arrival, own=False)
    _settle(made, [dict(view) for view in arrival.body["views"]])
    if made.state == PublicationState.MARKED:
        move = PUBLICATION.step(made.state, "settle", _other())
        _take(arrival.doing, made, move, arrival.message.id)


@handles("publication.published")
def on_published(arrival: Arrival) -> None:
    """The author published; that is so, whatever was under way here."""
    made = _arrived(arrival, own=False)
    if digest(canonical(arrival.body["document"])) != arrival.body["digest"]:
        raise Refused("the digest is not that of what went out", kept="the message")
    if made.state not in OVER:
        made.document = dict(arrival.body["document"])
        _end(arrival, made, PublicationState.PUBLISHED, Event.PUBLICATION_TEXT_PUBLISHED)


@handles("publication.left")
def on_left(arrival: Arrival) -> None:
    """The author left it."""
    made = _arrived(arrival, own=False)
    if made.state not in OVER:
        _end(arrival, made, PublicationState.LEFT, Event.PUBLICATION_DRAFT_LEFT)


def _end(arrival: Arrival, made: Publication, state: PublicationState, event: Event) -> None:
    made.state, made.ended_at = str(state), arrival.doing.now
    made.save()
    _record(arrival.doing, made, event, arrival.message.id)


def publications(actor: Actor, act_id: str = "") -> list[dict[str, Any]]:
    """Publications in the reader's scope, newest first; without their texts."""
    with reading(actor, Permission.ENGAGEMENT_READ):
        rows = Publication.objects.select_related("act", "act__peer").order_by("-shown_at", "id")
        return [_line(row) for row in (rows.filter(act_id=act_id) if act_id else rows)[:500]]


def _line(made: Publication) -> dict[str, Any]:
    return {
        "id": made.id,
        "act": made.act_id,
        "model": made.act.model,
        "peer": made.act.peer.name,
        "author": made.author,
        "form": made.form,
        "title": made.title,
        "state": made.state,
        "shown_at": stamp(made.shown_at),
        "seen_by": stamp(made.seen_by),
        "ended_at": stamp(made.ended_at),
        "marking": made.marking,
    }


def publication_view(actor: Actor, publication_id: str) -> dict[str, Any]:
    """One publication: draft, marks with both views, what went out, and the reader's moves."""
    with reading(actor, Permission.ENGAGEMENT_READ):
        rows = Publication.objects.select_related("act", "act__peer")
        made = rows.filter(id=publication_id).first()
        if made is None:
            raise NotFound(f"publication {publication_id[:40]!r} is not here")
        require_reading(actor, made.act)
        pack, side = pack_of(made.pack_digest), own_side()
        titles = rules.reasons_of(pack)
        own = made.author == str(side)
        moves = PUBLICATION.moves(made.state, side) if actor.host else ()
        return {
            **_line(made),
            "text": made.text,
            "marks": [
                {**vars(mark), "reason_title": titles.get(mark.reason, mark.reason)}
                for mark in marks_of(made)
            ],
            "redacted": rules.redacted(pack, made.text, marks_of(made)),
            "published": made.document or None,
            "reasons": titles,
            "own": own,
            "has_file": made.state in MAY_GO_OUT,
            "moves": [
                {"trigger": move.trigger, "label": move.label}
                for move in moves
                if (move.trigger in AUTHORS) == own and actor.may(Permission.PUBLICATION_WRITE)
            ],
        }


MAY_GO_OUT = ("seen", "settled", "published")


def publication_file(actor: Actor, publication_id: str) -> str:
    """What was or may be published, with what is left out and why, as a Markdown file.

    Raises Refused while the other side may still mark it, and where the author left it.
    """
    with reading(actor, Permission.ENGAGEMENT_READ):
        rows = Publication.objects.select_related("act", "act__peer")
        made = rows.filter(id=publication_id).first()
        if made is None:
            raise NotFound(f"publication {publication_id[:40]!r} is not here")
        require_reading(actor, made.act)
        if made.state not in MAY_GO_OUT:
            raise Refused(
                f"the publication is {made.state}: what may go out is not settled",
                kept="the draft and its marks",
                next_step="read them on its page",
            )
        document = made.document or rules.published(
            pack_of(made.pack_digest), made.title, made.form, made.author, made.text,
            marks_of(made),
        )  # fmt: skip
        marking = rules.file_marking(made.state, Marking.parse(made.marking))
        return rules.as_markdown(document, marking, leaving_block(marking, [act_source(made.act)]))


def forms_here(actor: Actor, act_id: str) -> tuple[str, ...]:
    """The forms in which this side may publish about an act, by the terms in force."""
    with reading(actor, Permission.ENGAGEMENT_READ):
        row = Act.objects.filter(id=act_id).first()
        if row is None:
            raise NotFound(f"act {act_id[:40]!r} is not here")
        terms = agreed_terms(row)
        if terms is None:
            return ()
        return rules.forms_for(pack_of(terms.pack_digest), terms.publication, own_side())
