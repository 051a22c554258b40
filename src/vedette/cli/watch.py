"""`vedette watch`: news from a clearinghouse's index, matched at home."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from vedette.cli import watch_private
from vedette.cli.context import instance_option
from vedette.cli.paths import AS_GIVEN, PATHS, PathsCommand, present, recalled, tell, whole
from vedette.cli.progress import ProgressLine
from vedette.kernel.bounds import MIB
from vedette.kernel.errors import BadInput, Refused, VedetteError

if TYPE_CHECKING:
    from vedette.exchange.card import Card
    from vedette.exchange.published_index import Statement
    from vedette.matching.model import Inventory

SECONDS = 60
CARD, INDEX, ENVELOPE, SEEN = "card.json", "advisories.idx", "statement.json", "seen.jsonl"


class Unreachable(VedetteError):
    """The clearinghouse did not answer, or not with what was asked for."""

    exit_code = 2


@click.command(cls=PathsCommand)
@click.option(
    "--inventory",
    "inventories",
    type=AS_GIVEN,
    multiple=True,
    required=True,
    metavar="PATH...",
    help="Files or folders of inventories, as for `vedette match`. They are read anew each time.",
)
@click.option("--from", "url", required=True, metavar="URL", help="The clearinghouse's address.")
@click.option(
    "--card",
    type=PATHS,
    metavar="FILE",
    help="The clearinghouse's card, from somebody you trust; needed only the first time.",
)
@click.option(
    "--state",
    type=PATHS,
    default=Path("vedette-watch"),
    show_default=True,
    metavar="DIR",
    help="Where the card, the index and what you were told are kept.",
)
@click.option(
    "--every",
    type=click.FloatRange(min=1),
    metavar="MINUTES",
    help="Keep running, and look again every so many minutes.",
)
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Show what still holds, too, and not only what is new.",
)
@click.option(
    "--embargoed",
    is_flag=True,
    help="Also ask in private about cases under embargo, as an operator's instance that the"
    " clearinghouse gave early warning.",
)
@click.option(
    "--questions",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="How many private questions at once, whatever you hold.",
)
@click.option(
    "--intersect",
    is_flag=True,
    help="With --embargoed: intersect the sets of products instead of asking for buckets (extra"
    " psi); then ask for the ranges of those named by --reveal.",
)
@click.option(
    "--reveal",
    multiple=True,
    metavar="NAME",
    help="A product in both sets, as --intersect names it, or `all`; can be repeated.",
)
@instance_option
@click.option("--json", "as_json", is_flag=True, help="JSON Lines: match's fields and `change`.")
def watch(
    inventories: tuple[str, ...],
    url: str,
    card: Path | None,
    state: Path,
    every: float | None,
    everything: bool,
    embargoed: bool,
    questions: int,
    intersect: bool,
    reveal: tuple[str, ...],
    folder: Path | None,
    as_json: bool,
) -> None:
    """Which advisories are news for these inventories since the last time?

    The index is fetched whole or as what changed, its signature checked, and matched here. The
    clearinghouse learns your address, the time and which index you had; of the inventory nothing.
    With --embargoed it also learns a fixed number of buckets, each shared by many products, some
    of them padding; docs/private-matching.md says what each side can make of that.

    Example: vedette watch --inventory sbom.cdx.json --from https://clearinghouse.example --card
    clearinghouse.card.json --every 60
    """
    from vedette.matching.index import open_index

    if (intersect and not embargoed) or (reveal and not intersect):
        raise BadInput(
            "--reveal belongs to --intersect, and that to --embargoed",
            next_step="give --embargoed --intersect --reveal NAME",
        )
    kept, who = _State(state), watch_private.identity(folder) if embargoed else None
    maker = kept.card(card)
    present(inventories)
    while True:
        try:
            _look(kept, maker, url.rstrip("/"), inventories, everything, as_json, every is None)
            if who is not None and (every is None or watch_private.due(state, who.clock.now())):
                for line in watch_private.news(
                    *(state, _read(inventories, []), open_index(kept.path(INDEX))),
                    *(who, maker, url.rstrip("/")),
                    questions=questions,
                    reveal=reveal if intersect else None,
                    everything=everything,
                ):
                    click.echo(json.dumps(line) if as_json else _words(line))
        except VedetteError as error:
            if every is None:
                raise
            tell([str(error)])
        if every is None:
            return
        time.sleep(60 * every)


def _look(
    kept: _State,
    maker: Card,
    url: str,
    inventories: Sequence[str],
    everything: bool,
    as_json: bool,
    once: bool,
) -> None:
    """Fetch what changed, and tell what is new of the published index."""
    try:
        _refresh(kept, maker, url)
    except (Unreachable, Refused) as error:
        # one that runs on has said so, and is still of use
        if (once and isinstance(error, Refused)) or not kept.path(INDEX).exists():
            raise
        tell([f"{error}; matched against the index in hand"])
    names: dict[tuple[str, ...], str] = {}
    quiet = True
    for line in _news(kept, inventories, everything, names):
        click.echo(json.dumps(line) if as_json else _words(line, names.get(_key(line), "")))
        quiet = False
    if once and quiet:
        tell(["nothing new in the published index since the last time"])


@dataclass(frozen=True)
class _State:
    """The folder in which a watch remembers."""

    folder: Path

    def path(self, name: str) -> Path:
        return self.folder / name

    def card(self, given: Path | None) -> Card:
        """The maker's card: the one kept, which a given one equals. Raises BadInput, Refused."""

        known = _card(self.path(CARD)) if self.path(CARD).exists() else None
        if given is None and known is None:
            raise BadInput(
                "--card is missing: whose signature is to be trusted?",
                next_step="ask the clearinghouse for the file that `vedette exchange card` prints",
            )
        if given is None:
            assert known is not None
            return known
        (path,) = present((given,))
        found: Card = _card(path)
        if known is not None and known.keys != found.keys:
            raise Refused(
                f"{given}: another key than the one in {self.path(CARD)}",
                kept="all of it",
                next_step="compare fingerprints with the clearinghouse by voice;"
                " to begin anew, name another --state",
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        with whole(self.path(CARD)) as file:
            file.write(json.dumps(found.to_json()).encode())
        return found

    def statement(self, maker: Card) -> Statement | None:
        """What was said of the index in hand, None where there is none."""
        from vedette.exchange.published_index import read_statement

        def read(envelope: bytes) -> Statement | None:
            found = read_statement(envelope, maker.keys, maker.name)
            if not found.holds_for(self.path(INDEX).read_bytes()):
                raise ValueError
            return found

        held = recalled(self.path(ENVELOPE), read, None) if self.path(INDEX).exists() else None
        if held is None:
            self.path(INDEX).unlink(missing_ok=True)
        return held

    def seen(self) -> dict[tuple[str, ...], Any]:
        """What was told before, by line."""

        def read(data: bytes) -> dict[tuple[str, ...], Any]:
            return {_key(line): line for line in map(json.loads, data.splitlines())}

        return recalled(self.path(SEEN), read, {})


def _card(path: Path) -> Card:
    from vedette.exchange.card import Card
    from vedette.kernel.bounds import Bounds, read_json

    bounds = Bounds(size=64 * 1024, depth=4, count=100)
    return Card.from_json(read_json(path.read_bytes(), source=str(path), bounds=bounds))


def _refresh(kept: _State, maker: Card, url: str) -> None:
    """Bring the index in hand up to date. Raises Unreachable, RefusedIndex."""
    from vedette.exchange.published_index import (
        INDEX_PATH,
        MAX_STATEMENT,
        RefusedIndex,
        read_statement,
    )
    from vedette.kernel.clock import format_time
    from vedette.matching import delta

    if urlsplit(url).scheme not in ("http", "https"):
        raise BadInput(
            f"--from {url}: an address that begins with https:// or http://",
            next_step="write it so: https://clearinghouse.example",
        )
    base, held = url + INDEX_PATH, kept.statement(maker)
    envelope = _get(base + "latest", MAX_STATEMENT)
    statement = read_statement(envelope, maker.keys, maker.name)
    if held is not None and held.digest == statement.digest:
        return
    if held is not None and held.built_at > statement.built_at:
        raise RefusedIndex(
            f"index: of {format_time(statement.built_at)}, older than the one in hand"
            f" ({format_time(held.built_at)})",
            kept="the one in hand",
        )
    data = b""
    if held is not None:
        with suppress(VedetteError):
            changes = _get(f"{base}{statement.digest}?since={held.digest}", statement.size)
            data = delta.apply(kept.path(INDEX).read_bytes(), changes, statement.size)
    if not statement.holds_for(data):
        data = _get(base + statement.digest, statement.size)
    if not statement.holds_for(data):
        raise RefusedIndex(
            f"index: its bytes do not have the digest that {maker.name} signed",
            kept="the one in hand",
        )
    # a statement without its index is none, so the index takes its place first
    kept.path(ENVELOPE).unlink(missing_ok=True)
    for name, content in ((INDEX, data), (ENVELOPE, envelope)):
        with whole(kept.path(name)) as file:
            file.write(content)


def _get(url: str, limit: int) -> bytes:
    """Fetch at most `limit` bytes, following no redirection. Raises Unreachable, Refused."""
    try:
        data = bytearray()
        with no_redirection().open(url, timeout=SECONDS) as answer, ProgressLine() as line:
            while part := answer.read(min(MIB, limit + 1 - len(data))):
                data += part
                line.show(len(data) // MIB, limit // MIB, "MiB fetched")
    except urllib.error.HTTPError as error:
        raise Unreachable(f"{url} answered HTTP {error.code}", kept="the index in hand") from None
    except (OSError, ValueError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise Unreachable(f"{url} can't be reached ({reason})", kept="the index in hand") from None
    if len(data) > limit:
        raise Refused(
            f"{url}: more than the {limit:,} bytes that were stated",
            next_step="try again; where it stays so, tell the clearinghouse",
        )
    return bytes(data)


def no_redirection() -> urllib.request.OpenerDirector:
    """An opener that follows no redirection, and says nothing of the machine."""
    opener = urllib.request.build_opener(_NoRedirection)
    opener.addheaders = [("User-Agent", "vedette")]
    return opener


class _NoRedirection(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def _news(
    kept: _State, inventories: Sequence[str], everything: bool, names: dict[tuple[str, ...], str]
) -> Iterator[dict[str, Any]]:
    """The lines that are new, changed or gone since the last time; then they are remembered.

    What a component is called goes to `names`.

    A line is changed when what is to be done about it is: its verdict, or the versions that fix it.
    """
    from vedette.matching.engine import match
    from vedette.matching.index import open_index
    from vedette.matching.vex import Suppressed, honour

    problems: list[str] = []
    listed = _read(inventories, problems)
    taken: list[Suppressed] = []
    lines = honour(match(listed, open_index(kept.path(INDEX)), problems), listed, (), taken)
    before, now = kept.seen(), {}
    for found in lines:
        line = json.loads(json.dumps(found.line()))
        key = _key(line)
        now[key] = line
        names[key] = found.name
        earlier = before.get(key)
        if earlier is None:
            yield {"change": "new", **line}
        elif (earlier["verdict"], earlier["fixed"]) != (line["verdict"], line["fixed"]):
            yield {"change": "changed", **line}
        elif everything:
            yield {"change": "as before", **line}
    for key in sorted(before.keys() - now.keys()):
        yield {"change": "gone", **before[key]}
    with whole(kept.path(SEEN)) as file:
        for line in now.values():
            file.write(json.dumps(line).encode() + b"\n")
    tell(problems)


def _read(inventories: Sequence[str], problems: list[str]) -> list[Inventory]:
    from vedette.formats.detect import read_inventories

    return list(read_inventories(present(tuple(inventories)), problems))


def _key(line: dict[str, Any]) -> tuple[str, ...]:
    return line["inventory"], line["component"], line["advisory"]


def _words(line: dict[str, Any], name: str = "") -> str:
    from vedette.formats.matches_out import printable
    from vedette.kernel.words import versioned

    fixed = f"  fixed: {', '.join(line['fixed'])}" if line["fixed"] else ""
    known = line.get("purl") or name or line["component"]
    what = versioned(known, line["version"])
    if known == name and name != line["component"]:
        what += f" [{line['component']}]"
    shown = f"{line['change']:<9} {line['verdict']:<8} {what}  {line['advisory']}{fixed}"
    embargo = watch_private.words(line) if "embargo" in line else ""
    return printable(f"{shown}  {line['reason']}{embargo}")
