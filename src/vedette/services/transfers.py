"""Attachments on their way: chunk by chunk to a peer's door, or beside a file carried by hand.

Rules:
- The receiver says which chunks it lacks; only those are sent, each again and again until it says
  that the file is whole, or refuses it. So a transfer goes on wherever either side stopped.
- Chunks are sealed for the receiver, except over an encrypted connection.
- A peer that can't be reached is tried as messages are, and given up for now after as long.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from vedette.exchange.fields import CHUNK
from vedette.kernel.bounds import Bounds, read_json
from vedette.kernel.errors import BadInput, Refused, VedetteError
from vedette.kernel.keys import PublicKeys
from vedette.services import attachments, content, outgoing
from vedette.services.acting import act, instance_actor
from vedette.services.jobs import job, schedule
from vedette.services.outbox import RETRY_AFTER
from vedette.store.models import Attachment
from vedette.store.tenancy import SYSTEM, scoped

PATH = "/exchange/v1/attachments/"
ANSWER = Bounds(size=64 * 1024, depth=4, count=2_000)
SEALED = "Vedette-Sealed"
# sealing adds a header and a tag for each block
LARGEST = CHUNK + 64 * 1024
# hashing a large file once more, at its end, takes the receiver a while
PATIENCE = httpx.Timeout(30.0, read=600.0)


@job(queue="long")
def transfer(attachment: str) -> None:
    """Send what the receiver lacks of a file; on a failure set a later try. Idempotent."""
    with scoped(SYSTEM):
        row = Attachment.objects.select_related("peer").filter(id=attachment).first()
    if row is None or row.state != "sending" or not row.other_side.url:
        return
    try:
        with outgoing.client(PATIENCE) as client:
            told = _hand_over(client, row)
    except (httpx.HTTPError, httpx.InvalidURL, BadInput, ValueError) as error:
        _later(attachment, str(error) or type(error).__name__)
        return
    except Refused as error:
        told = {"state": "refused", "reason": error.what}
    _settle(attachment, told["state"], str(told.get("reason", "")))


def _hand_over(client: httpx.Client, row: Attachment) -> dict[str, Any]:
    """Hand chunks over until the receiver has, or wants, no more."""
    keys = PublicKeys(row.other_side.ed25519, row.other_side.age)
    sealed = not row.other_side.url.startswith("https://")
    headers = {SEALED: "age"} if sealed else {}
    url = f"{row.other_side.url}{PATH}{row.id}"
    told = _state(client, url, len(row.chunks))
    while told["state"] == "expected":
        before = told["missing"]
        for number in told["missing"]:
            data = content.read_chunk(row, number)
            body = keys.seal(data) if sealed else data
            answer = client.put(f"{url}/{number}", content=body, headers=headers)
            if answer.status_code not in (200, 409):
                raise BadInput(f"chunk {number}: HTTP {answer.status_code}")
        told = _state(client, url, len(row.chunks))
        if told["state"] == "expected" and told["missing"] == before:
            raise BadInput("the receiver takes chunks and keeps none")
    return told


def _state(client: httpx.Client, url: str, count: int) -> dict[str, Any]:
    with client.stream("GET", url) as answer:
        if answer.status_code != 200:
            raise BadInput(
                f"the other side does not say what it has of the file: HTTP {answer.status_code};"
                " it is tried again"
            )
        data = b""
        for part in answer.iter_raw():
            data += part
            if len(data) > ANSWER.size:
                raise BadInput("the file's state: too long an answer")
    told = read_json(data, source="answer", bounds=ANSWER)
    known = ("expected", *attachments.TAKEN_STATES)
    if not isinstance(told, dict) or told.get("state") not in known:
        raise BadInput("the file's state: no such answer is known")
    lacking = told.get("missing", [])
    if told["state"] == "expected" and not (
        isinstance(lacking, list)
        and lacking
        and all(type(n) is int and 0 <= n < count for n in lacking)
    ):
        raise BadInput("the file's state: which chunks are missing is not said")
    return told


def _settle(attachment: str, state: str, reason: str) -> None:
    with act(instance_actor(), None) as doing:
        row = Attachment.objects.select_for_update().get(pk=attachment)
        attachments.settle(doing, row, state, reason)


def _later(attachment: str, why: str) -> None:
    with act(instance_actor(), None) as doing:
        row = Attachment.objects.select_for_update().get(pk=attachment)
        if row.state != "sending":
            return
        row.reason = why[:500]
        if row.attempts < len(RETRY_AFTER):
            due = doing.now + timedelta(seconds=RETRY_AFTER[row.attempts])
            schedule(f"transfer {row.id}", transfer, due, attachment=row.id)
            row.attempts += 1
        else:
            row.state = "given-up"
        row.save(update_fields=["state", "reason", "attempts"])


def retry(peer: str = "") -> int:
    """Send on what was given up, or waits for a later try; return how many files."""
    with act(instance_actor(), None) as doing:
        rows = Attachment.objects.filter(outgoing=True, state__in=("sending", "given-up"))
        rows = rows.filter(peer_id=peer) if peer else rows
        ids = list(rows.values_list("pk", flat=True))
        rows.update(state="sending", attempts=0)
        for each in ids:
            doing.after(transfer, attachment=each)
        return len(ids)


def beside(file: Path) -> Path:
    """The folder of chunks that goes with a file of messages."""
    return file.with_name(file.name + ".attachments")


def export_chunks(file: Path, peers: Iterable[str]) -> int:
    """Write the chunks of what is being sent to `peers`, sealed for each, beside `file`.

    What stands there already stays; returns how many files there are.
    """
    with scoped(SYSTEM):
        rows = Attachment.objects.select_related("peer").filter(
            outgoing=True, state__in=("sending", "given-up"), peer_id__in=list(peers)
        )
        found = list(rows.order_by("made_at", "pk"))
    for row in found:
        keys = PublicKeys(row.other_side.ed25519, row.other_side.age)
        folder = beside(file) / row.id
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(len(row.chunks)):
            path = folder / f"{number:06d}.age"
            if not path.exists():
                partial = path.with_suffix(".partial")
                partial.write_bytes(keys.seal(content.read_chunk(row, number)))
                partial.replace(path)
    return len(found)


def import_chunks(file: Path) -> Iterator[dict[str, str]]:
    """Take the chunks beside `file`; yields `{"attachment", "state", "detail"}` of each file."""
    folder = beside(file)
    for each in sorted(folder.iterdir()) if folder.is_dir() else []:
        try:
            told = _take_folder(each)
        except VedetteError as error:
            told = {"state": "expected", "reason": error.what}
        yield {"attachment": each.name, "state": told["state"], "detail": told["reason"]}


def _take_folder(folder: Path) -> dict[str, Any]:
    name = folder.name
    faults: list[str] = []
    while True:
        told = attachments.state_of(name)
        came = [n for n in told["missing"] if (folder / f"{n:06d}.age").is_file()]
        if told["state"] != "expected" or not came or faults:
            break
        for number in came:
            path = folder / f"{number:06d}.age"
            try:
                if path.stat().st_size > LARGEST:
                    raise BadInput(f"chunk {number}: too large")
                attachments.take_chunk(name, number, path.read_bytes(), sealed=True)
            except BadInput as error:
                faults.append(error.what)
    if told["state"] == "expected":
        lacking = len(told["missing"])
        told["reason"] = "; ".join(faults[:3]) or f"{lacking} chunks are not beside the file"
    return told
