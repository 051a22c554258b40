"""What `vedette watch --embargoed` adds: who asks, its questions, and what is new."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.client import HTTPException
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vedette.cli.paths import recalled, tell, whole
from vedette.kernel.errors import BadInput, Refused

if TYPE_CHECKING:
    from vedette.exchange.card import Card
    from vedette.kernel.clock import Clock
    from vedette.kernel.keys import PrivateKeys
    from vedette.kernel.markings import Marking
    from vedette.matching.index import Index
    from vedette.matching.model import Inventory
    from vedette.services.private_asking import Outcome

SECONDS = 120
STATE, INTERSECTED = "embargoed.json", "intersected.json"
RHYTHM = timedelta(days=1)


@dataclass(frozen=True)
class Identity:
    """The operator's instance that asks."""

    keys: PrivateKeys
    ceiling: Marking
    clock: Clock


def identity(folder: Path | None) -> Identity:
    """The instance in `folder`, by its files alone. Raises BadInput unless it is an operator's."""
    from vedette.kernel.clock import FileClock, SystemClock
    from vedette.kernel.keys import PrivateKeys
    from vedette.kernel.permissions import Profile

    config = import_module("vedette.site.config")
    found = config.read_config(config.find_instance(folder))
    if found.profile != Profile.OPERATOR:
        raise BadInput(
            f"{found.folder}: a {found.profile}'s instance; an operator's asks",
            next_step="name an operator's with --instance",
        )
    keys = PrivateKeys.load(found.folder / "keys" / "instance.key")
    clock = FileClock(found.clock) if found.clock else SystemClock()
    return Identity(keys, found.ceiling, clock)


def due(state: Path, now: datetime) -> bool:
    """Whether a watch that keeps running asks again: once a day, whatever there is."""
    last = _kept(state).asked_at
    return last is None or now - last >= RHYTHM


def news(
    state: Path,
    inventories: list[Inventory],
    index: Index,
    who: Identity,
    maker: Card,
    url: str,
    *,
    questions: int = 1,
    reveal: tuple[str, ...] | None = None,
    everything: bool = False,
) -> Iterator[dict[str, Any]]:
    """The embargoed matches that are new, changed or gone; then they are remembered.

    Of a bucket that was not asked this time nothing is said to be gone. With `reveal` the sets are
    intersected instead, and those products' ranges asked for.
    """
    from vedette.exchange.private_question import PRIVATE_PATH
    from vedette.kernel.clock import format_time
    from vedette.services.private_asking import Asker

    name = STATE if reveal is None else INTERSECTED
    kept, now = _kept(state, name), who.clock.now()
    asker = Asker(who.keys, who.ceiling, maker.keys, _poster(url + PRIVATE_PATH))
    if reveal is None:
        found = asker.ask(inventories, index, now, questions=questions, turn=kept.turn)
    else:
        found = asker.intersect(inventories, index, now, reveal=reveal, turn=kept.turn)
    lines = {}
    for each in found.matches:
        line = {**each.match.line(), "embargo": each.embargo(), "buckets": list(each.buckets)}
        line = json.loads(json.dumps(line))
        lines[_key(line)] = line
        earlier = kept.lines.get(_key(line))
        if earlier is None:
            yield {"change": "new", **_shown(line)}
        elif {**earlier, "buckets": []} != {**line, "buckets": []}:
            yield {"change": "changed", **_shown(line)}
        elif everything:
            yield {"change": "as before", **_shown(line)}
    for key, line in kept.lines.items():
        if key in lines:
            continue
        if found.asked.issuperset(line["buckets"]):
            yield {"change": "gone", **_shown(line)}
        else:
            lines[key] = line
    remembered = {
        "turn": kept.turn + 1,
        "asked_at": format_time(now),
        "lines": list(lines.values()),
    }
    with whole(state / name) as file:
        file.write(json.dumps(remembered).encode())
    tell([*_told(found, intersected=reveal is not None), *found.notes])


def _told(found: Outcome, *, intersected: bool) -> list[str]:
    """What a run asked and what it left, in words."""
    left = f"{found.left} of {found.limit} questions of the day are left"
    if intersected:
        both = ", ".join(found.both) or "none"
        waiting = f"; {found.waiting} names wait for the next time" if found.waiting else ""
        return [f"products in both sets: {both}{waiting}; {left}"]
    division = found.division
    told = [
        f"asked in private for {len(found.asked)} of {division.buckets} buckets; each is shared by"
        f" at least {division.shared} of {division.products:,} products; {left}"
    ]
    if found.waiting:
        told.append(
            f"{found.waiting} buckets wait for the next time; next: more --questions at once"
        )
    return told


def words(line: dict[str, Any]) -> str:
    """The embargo's part of a line for people."""
    embargo = line["embargo"]
    local = [each for each in embargo["hours"] if each["zone"] != "UTC"]
    hours = ", ".join(f"{each['local']} {each['zone']}" for each in local)
    until = f"until {embargo['until']}" if embargo["until"] else "without an hour"
    return f"  UNDER EMBARGO {until}{f' ({hours})' if hours else ''}  {embargo['marking']}"


def _shown(line: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name != "buckets"}


def _key(line: dict[str, Any]) -> tuple[str, ...]:
    return line["inventory"], line["component"], line["advisory"]


@dataclass(frozen=True)
class _Kept:
    """What the last time left: how often was asked, when, and what was told, by line."""

    turn: int = 0
    asked_at: datetime | None = None
    lines: dict[tuple[str, ...], dict[str, Any]] = field(default_factory=dict)


def _kept(state: Path, name: str = STATE) -> _Kept:
    from vedette.kernel.clock import parse_time

    def read(data: bytes) -> _Kept:
        found = json.loads(data)
        lines = {_key(line): line for line in found["lines"]}
        return _Kept(int(found["turn"]), parse_time(found["asked_at"], field=name), lines)

    return recalled(state / name, read, _Kept())


def _poster(url: str) -> Callable[[bytes], bytes]:
    from vedette.cli.watch import Unreachable, no_redirection
    from vedette.exchange.private_question import MAX_ANSWER

    def post(question: bytes) -> bytes:
        kind = {"Content-Type": "application/json"}
        asked = urllib.request.Request(url, question, kind)  # noqa: S310
        try:
            with no_redirection().open(asked, timeout=SECONDS) as answer:
                data: bytes = answer.read(MAX_ANSWER + 1)
        except urllib.error.HTTPError as error:
            raise _refusal(error) from None
        except (OSError, ValueError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise Unreachable(
                f"{url} can't be reached ({reason})", next_step="try again later"
            ) from None
        if len(data) > MAX_ANSWER:
            raise Refused(
                f"{url}: more than {MAX_ANSWER:,} bytes", next_step="tell the clearinghouse"
            )
        return data

    return post


def _refusal(error: urllib.error.HTTPError) -> Refused:
    if error.code == 404:
        return Refused(
            "the clearinghouse has nothing in private for this instance",
            next_step="ask it for early warning; it needs this instance's card",
        )
    try:
        told = json.loads(error.read(65_536))
        return Refused(str(told["detail"])[:500], next_step=str(told["next"])[:500])
    except (ValueError, KeyError, TypeError):
        return Refused(f"the clearinghouse answered HTTP {error.code}", next_step="try again later")
