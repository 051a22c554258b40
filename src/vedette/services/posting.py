"""Handing envelopes in at a peer's door by HTTPS; what it answers is read within bounds."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vedette.kernel.bounds import MIB, Bounds, read_json
from vedette.kernel.errors import BadInput

if TYPE_CHECKING:
    import httpx

INBOX_PATH = "/exchange/v1/inbox"
BATCH_PATH = "/exchange/v1/batch"
# what an inbox answers; anything else comes from something in between, or from a peer in trouble
SETTLING = (200, 202, 413, 422)
ANSWER = Bounds(size=64 * 1024, depth=8, count=1000)
ANSWERS = Bounds(size=MIB, depth=8, count=10_000)
PATIENCE = 30.0
# a busy receiver takes its time for many, and the whole comes again if nobody waits for its answer
PATIENCE_FOR_MANY = 180.0


class Unreachable(Exception):
    """The peer can't be reached, or what answers is no receipt; the text says which."""


@dataclass(frozen=True)
class Told:
    """What a peer said of one message. `settles` is false of what is no receipt."""

    status: str
    detail: str = ""
    settles: bool = True

    @property
    def taken(self) -> bool:
        return self.status in ("accepted", "already")


def post(client: httpx.Client, url: str, envelope: str) -> Told:
    """Hand in one envelope. Raises Unreachable."""
    status, answer = _post(client, url + INBOX_PATH, envelope, "application/json", ANSWER)
    if status not in SETTLING:
        return Told("", f"HTTP {status}", settles=False)
    return Told("accepted" if status in (200, 202) else "refused", _detail(answer, str(status)))


def post_all(client: httpx.Client, url: str, envelopes: Sequence[str]) -> list[Told] | None:
    """Hand in envelopes together; None where they are better handed in singly."""
    if len(envelopes) == 1:
        return None
    lines = "".join(envelope + "\n" for envelope in envelopes)
    kind = "application/x-ndjson"
    status, answer = _post(client, url + BATCH_PATH, lines, kind, ANSWERS, PATIENCE_FOR_MANY)
    if status != 200:
        return None
    receipts = answer.get("receipts")
    if not isinstance(receipts, list) or len(receipts) != len(envelopes):
        return None
    return [_told(each) for each in receipts] if all(map(_is_receipt, receipts)) else None


def _is_receipt(value: Any) -> bool:
    return isinstance(value, dict) and value.get("status") in ("accepted", "already", "refused")


def _told(receipt: Mapping[str, Any]) -> Told:
    return Told(str(receipt["status"]), _detail(receipt, str(receipt["status"])))


def _detail(answer: Mapping[str, Any], otherwise: str) -> str:
    return str(answer.get("detail") or answer.get("status") or otherwise)[:500]


def _post(
    client: httpx.Client, url: str, content: str, kind: str, bounds: Bounds, patience: float = 0
) -> tuple[int, Mapping[str, Any]]:
    """One POST; the status, and for a settling one the peer's answer."""
    import httpx

    try:
        return _ask(client, url, content, kind, bounds, patience or PATIENCE)
    except (httpx.HTTPError, httpx.InvalidURL, BadInput, ValueError) as error:
        raise Unreachable(str(error) or type(error).__name__) from None


def _ask(
    client: httpx.Client, url: str, content: str, kind: str, bounds: Bounds, patience: float
) -> tuple[int, Mapping[str, Any]]:
    end = time.monotonic() + patience
    headers = {"Content-Type": kind, "Accept-Encoding": "identity"}
    data = b""
    with client.stream("POST", url, content=content, headers=headers, timeout=patience) as answer:
        if answer.status_code not in SETTLING:
            return answer.status_code, {}
        # raw: what a peer compresses may unfold without bound
        for chunk in answer.iter_raw():
            data += chunk
            if len(data) > bounds.size:
                raise BadInput(f"answer: more than {bounds.size:,} bytes")
            if time.monotonic() > end:
                raise BadInput(f"answer: not whole after {patience:g} seconds")
    told = read_json(data, source="answer", bounds=bounds) if data else {}
    if not isinstance(told, dict):
        raise BadInput("answer: object expected")
    return answer.status_code, told
