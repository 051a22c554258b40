"""Files that messages name: attached, sent in chunks by HTTPS or by hand, taken in, read.

Rules:
- The message is small and signed; it states each file's size, digest, marking, and every chunk's
  digest. So whoever hands a chunk in needs no credential, and no other byte is kept.
- Size, quota, room on the disk and ceiling are checked before the first byte; what is refused has
  its reason, what is above the ceiling a pointer, and the sender hears it.
- A transfer goes on where it stopped, whatever stopped it. A file is here when it is whole.
- A finding that is reported here has its files here, too: its reporter's and the host's to read.
"""

from __future__ import annotations

import hashlib
import mimetypes
import re
import shutil
from pathlib import Path
from typing import IO, Any

from django.db.models import Sum

from vedette.exchange.acceptance import Accepted
from vedette.exchange.fields import ATTACHMENT, CHUNK, GIB
from vedette.exchange.pointers import as_far_as
from vedette.kernel.canonical import digest
from vedette.kernel.errors import BadInput, NotFound, Refused
from vedette.kernel.events import Event
from vedette.kernel.ids import new_id
from vedette.kernel.markings import Marking
from vedette.kernel.permissions import Permission
from vedette.services import content, outbox
from vedette.services.acting import Actor, Doing, act, instance_actor
from vedette.services.here import here
from vedette.store.models import Attachment, Finding, Peer
from vedette.store.tenancy import SYSTEM, scoped

NAME = re.compile(r"[/\\\x00-\x1f\x7f]")
RECEIPT = "exchange.receipt"
TAKEN_STATES = ("here", "refused", "pointer")


def attach(
    actor: Actor,
    peer: str,
    source: IO[bytes],
    name: str,
    *,
    about: str = "",
    marking: str = "TLP:AMBER",
    note: str = "",
) -> Attachment:
    """Send a file to a peer, as part of the act, case or finding `about` where one is named.

    The content is copied first, chunk by chunk; then message and transfer are queued.
    """
    actor.require(Permission.MESSAGE_SEND)
    if not (actor.host or actor.system):
        raise NotFound("no such thing here")
    mark = str(Marking.parse(marking))
    if len(about) > 40:
        raise BadInput("about: the id of an act, case or finding expected")
    with scoped(SYSTEM):
        to = outbox.find_peer(peer)
    row = _measured(actor, source, name, about=about, marking=mark)
    row.peer, row.outgoing, row.state = to, True, "sending"
    _copy_content(row, source)
    with act(actor, Permission.MESSAGE_SEND) as doing:
        row.made_at = doing.now
        body = {"note": note or None, "attachments": [statement(row)]}
        row.message_id = doing.send(to, "attachment.offered", body, thread=about, marking=mark)
        row.save(force_insert=True)
        if to.url:
            from vedette.services.transfers import transfer

            doing.after(transfer, attachment=row.id)
        return row


def keep(actor: Actor, source: IO[bytes], name: str, *, about: str, marking: str) -> Attachment:
    """Keep a file with a finding that was reported here; the same file again is the one there is.

    Raises Refused, with nothing kept, where it is too large, above the ceiling or finds no room.
    """
    actor.require(Permission.FINDING_REPORT)
    row = _measured(actor, source, name, about=about, marking=str(Marking.parse(marking)))
    with act(actor, Permission.FINDING_REPORT) as doing:
        if not Finding.objects.filter(id=about, org_id=actor.org).exists():
            raise NotFound(f"finding {about[:40]!r} is not here")
        same = Attachment.objects.filter(about=about, digest=row.digest, peer=None).first()
        if same is not None:
            return same
        if not doing.here.ceiling.dominates(Marking.parse(row.marking)):
            raise Refused(f"{row.marking} is above this instance's ceiling", kept="the finding")
    with scoped(SYSTEM):
        reason = _no_room(row)
    if reason:
        raise Refused(f"{row.name}: {reason}", kept="the finding, without it")
    _copy_content(row, source)
    with act(actor, Permission.FINDING_REPORT) as doing:
        row.made_at = row.done_at = doing.now
        row.save(force_insert=True)
        _record(doing, row, Event.MESSAGE_ATTACHMENT_TAKEN)
        return row


def _measured(
    actor: Actor, source: IO[bytes], name: str, *, about: str, marking: str
) -> Attachment:
    """A file's row with its size and digests; nothing of it is written yet."""
    row = Attachment(
        id=new_id("att"),
        org_id=actor.org,
        outgoing=False,
        about=about,
        name=NAME.sub("_", Path(name).name)[:200] or "file",
        media_type=mimetypes.guess_type(name)[0] or "application/octet-stream",
        marking=marking,
        state="here",
    )
    whole, row.size, row.chunks = hashlib.sha256(), 0, []
    for chunk in content.cut(source):
        whole.update(chunk)
        row.size += len(chunk)
        row.chunks.append(digest(chunk))
    row.digest = f"sha256:{whole.hexdigest()}"
    if not row.size:
        raise BadInput("file: empty", next_step="attach one with content")
    ATTACHMENT.check(statement(row), "file")
    source.seek(0)
    return row


def _copy_content(row: Attachment, source: IO[bytes]) -> None:
    """Copy a file chunk by chunk under its digest."""
    lacking = set(content.missing(row))
    for number, chunk in enumerate(content.cut(source)):
        if number in lacking:
            content.write_chunk(row, number, chunk)


def statement(row: Attachment) -> dict[str, Any]:
    """What a message says of an attachment."""
    return {
        "id": row.id,
        "name": row.name,
        "media_type": row.media_type,
        "size": row.size,
        "digest": row.digest,
        "marking": row.marking,
        "chunks": row.chunks,
    }


def expect(doing: Doing, arrived: Accepted) -> None:
    """Note the files that a message names; refuse what can't be taken, once each."""
    message = arrived.message
    # a receipt's attachments are not files but what became of them
    files = arrived.body.get("attachments") or () if message.type != RECEIPT else ()
    for told in files:
        if Attachment.objects.filter(pk=told["id"]).exists():
            continue
        row = Attachment(
            id=told["id"],
            org_id=doing.here.org,
            peer=Peer.objects.get(keyid=message.sender),
            outgoing=False,
            message_id=message.id,
            about=message.thread,
            made_at=doing.now,
            state="expected",
            **{k: told[k] for k in ("name", "media_type", "size", "digest", "marking", "chunks")},
        )
        _judge(row)
        row.save(force_insert=True)
        if row.state != "expected":
            _record(doing, row, Event.MESSAGE_ATTACHMENT_REFUSED)


def _judge(row: Attachment) -> None:
    """Before the first byte: ceiling, sums, size, quota, room."""
    ceiling = here().ceiling
    if not ceiling.dominates(Marking.parse(row.marking)):
        named = as_far_as(row.marking, ceiling)
        row.state, row.marking, row.name = "pointer", str(ceiling), "above the ceiling"
        row.chunks = []
        row.reason = f"marked {named}, above this instance's ceiling; ask {row.other_side.name}"[
            :500
        ]
        return
    row.reason = _no_room(row)
    if row.reason:
        row.state = "refused"


def _no_room(row: Attachment) -> str:
    """Why a file cannot be taken, by its sums, the limits and the disk; "" where it can."""
    instance = here()
    held = Attachment.objects.filter(outgoing=False, state__in=("here", "expected"))
    taken = held.aggregate(sum=Sum("size"))["sum"] or 0
    instance.folder.mkdir(exist_ok=True)
    if len(row.chunks) != -(-row.size // CHUNK):
        return "its size and its number of chunks do not fit"
    if row.size > instance.attachment_limit:
        return f"more than the {instance.attachment_limit // GIB} GiB that one file may have"
    if taken + row.size > instance.attachment_quota:
        return f"the {instance.attachment_quota // GIB} GiB for files from others are used up"
    if row.size > shutil.disk_usage(instance.folder).free:
        return "there is no room for it on the disk"
    return ""


def state_of(attachment: str) -> dict[str, Any]:
    """What a sender may know: `{"state", "reason", "missing"}`; the first thousand missing."""
    row = _incoming(attachment)
    lacking = content.missing(row) if row.state == "expected" else []
    if row.state == "expected" and not lacking:
        row = _complete(row)
    return {"state": row.state, "reason": row.reason, "missing": lacking[:1000]}


def take_chunk(attachment: str, number: int, data: bytes, *, sealed: bool) -> None:
    """Keep one chunk of an expected file; the last one makes it whole. Idempotent.

    Raises NotFound where no message named it yet, Refused where it is not taken, BadInput where
    the bytes are not those that were signed.
    """
    row = _incoming(attachment)
    if row.state == "here":
        return
    if row.state != "expected":
        raise Refused(row.reason, kept="nothing of it")
    content.write_chunk(row, number, here().keys.open(data) if sealed else data)
    if not content.missing(row):
        _complete(row)


def _incoming(attachment: str) -> Attachment:
    with scoped(SYSTEM):
        rows = Attachment.objects.select_related("peer").filter(id=attachment, outgoing=False)
        row = rows.first()
    if row is None:
        raise NotFound("no message named such a file here")
    return row


def _complete(row: Attachment) -> Attachment:
    """Have a file here whose chunks are all here, once; hashed before the transaction begins."""
    whole = content.holds(row)
    with act(instance_actor(), None) as doing:
        row = Attachment.objects.select_for_update().get(pk=row.pk)
        if row.state != "expected":
            return row
        if whole:
            row.state, row.done_at = "here", doing.now
            _record(doing, row, Event.MESSAGE_ATTACHMENT_TAKEN)
        else:
            row.state, row.reason = "refused", "the chunks do not make the file that was signed"
            content.discard(row)
            _record(doing, row, Event.MESSAGE_ATTACHMENT_REFUSED)
        row.save(update_fields=["state", "done_at", "reason"])
        return row


def settle(doing: Doing, row: Attachment, state: str, reason: str) -> None:
    """The receiver's word on a file that we send: here, refused or pointer; once."""
    if not row.outgoing or row.state not in ("sending", "given-up"):
        return
    row.state = "sent" if state == "here" else "refused"
    row.reason, row.done_at = reason[:500], doing.now
    row.save(update_fields=["state", "reason", "done_at"])
    event = Event.MESSAGE_ATTACHMENT_SENT if state == "here" else Event.MESSAGE_ATTACHMENT_REFUSED
    _record(doing, row, event)


def _record(doing: Doing, row: Attachment, event: Event) -> None:
    doing.record(
        event,
        row.about or row.id,
        {"attachment": row.id, "digest": row.digest, "size": row.size, "reason": row.reason},
        marking=row.marking,
        message_id=row.message_id,
    )
