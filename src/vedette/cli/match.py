"""`vedette match` and `vedette index`: stand-alone, no instance needed."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vedette.cli.paths import AS_GIVEN, PATHS, PathsCommand, present, tell, whole
from vedette.cli.progress import ProgressLine
from vedette.kernel.collector import quiet_collector
from vedette.kernel.words import counted

if TYPE_CHECKING:
    from vedette.formats.many import Told
    from vedette.kernel.executor import Executor
    from vedette.matching.model import Match
    from vedette.matching.vex import Suppressed


@click.command(cls=PathsCommand)
@click.option(
    "--advisories",
    type=PATHS,
    multiple=True,
    required=True,
    metavar="PATH...",
    help="Files or folders of OSV (JSON or YAML), CSAF 2.0/2.1 or CVE JSON 5, or an index; KEV and"
    " EPSS among them show in table and CSV.",
)
@click.option(
    "--inventory",
    "inventories",
    type=AS_GIVEN,
    multiple=True,
    required=True,
    metavar="PATH...",
    help="Files or folders of CycloneDX JSON/XML, SPDX JSON, asset CSV, dpkg or rpm listings, or a"
    " typed list such as: Modicon M340, Ignition 8.1.",
)
@click.option(
    "--columns",
    metavar="FIELD=HEADER,...",
    help="Which column of asset CSVs is what, where the guess is wrong"
    " (see vedette inventory columns).",
)
@click.option(
    "--vex",
    type=PATHS,
    multiple=True,
    metavar="PATH...",
    help="Files or folders of OpenVEX, CSAF VEX or CycloneDX VEX: what they state as not affected"
    " or fixed is left out. VEX among the advisories or inside a CycloneDX inventory counts too.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "table", "csv", "sarif", "vex"]),
    default="jsonl",
    show_default=True,
)
@click.option("--json", "form", flag_value="jsonl", help="The same as --format jsonl.")
@click.option(
    "--fail-on",
    type=click.Choice(["any"]),
    help="Exit 1 when there is any line, affected or unknown.",
)
@click.option(
    "--ray",
    metavar="ADDRESS",
    help="Spread many inventories over this Ray cluster, which reaches all files by the same names;"
    " local starts one here. JSON Lines with one index only; needs [ray].",
)
@quiet_collector()
def match(
    advisories: tuple[Path, ...],
    inventories: tuple[str, ...],
    columns: str | None,
    vex: tuple[Path, ...],
    form: str,
    fail_on: str | None,
    ray: str | None,
) -> None:
    """Which components of these inventories do these advisories affect?

    Example: vedette match --advisories osv/ --inventory sbom.cdx.json --format table
    """
    from vedette.formats import many
    from vedette.formats.detect import (
        AdvisoryPaths,
        inventory_files,
        read_inventory_files,
        read_statements,
    )
    from vedette.formats.interface import NONE_CHOSEN
    from vedette.formats.matches_out import WRITERS, Beside
    from vedette.kernel.clock import SystemClock
    from vedette.kernel.errors import BadInput
    from vedette.kernel.executor import processes
    from vedette.matching.engine import match as run
    from vedette.matching.vex import Suppressed, honour

    problems: list[str] = []
    chosen = NONE_CHOSEN
    if columns:
        from vedette.cli.inventory import chosen_columns

        chosen = chosen_columns(columns)
    files = inventory_files(present(inventories), problems)
    line = ProgressLine()
    source = AdvisoryPaths(present(advisories), line.read)
    statements, suppressed = read_statements(present(vex), problems), list[Suppressed]()
    index = source.sole_index()
    if index is not None and not index.header["advisories"]:
        problems.append(f"{index.name}: no advisory in it, so that nothing could match")
    if ray and (form != "jsonl" or index is None):
        raise BadInput(
            "--ray: only for JSON Lines, with one index as --advisories",
            next_step="build one with vedette index, and leave --format out",
        )
    if form == "jsonl" and index is not None:
        cut = many.parts(files)
        start = partial(_ray_pool, ray) if ray else processes
        told = many.told(advisories[0], cut, statements, SystemClock().now(), chosen, start)
        with line:
            lines = _tell_parts(told, len(cut), line, problems, suppressed)
        tell(problems + _taken_away(suppressed))
        sys.exit(1 if fail_on and lines else 0)
    listed = read_inventory_files(files, problems, chosen)
    # the source's own are read with its advisories, before the first match
    every = chain(statements, source.statements)
    count = _Counted(honour(run(listed, index or source, problems), listed, every, suppressed))
    chunks = WRITERS[form](count, Beside(suppressed, source.exploited), SystemClock().now())
    with line:
        several = "".join(islice(chunks, 1000))  # by now all are read
    while several:
        sys.stdout.write(several)
        several = "".join(islice(chunks, 1000))
    if index is None and not source.files:
        source.problems.append("no file of advisories was read, so that nothing could match")
    tell(problems + source.problems + _taken_away(suppressed))
    if fail_on and count.total:
        sys.exit(1)


@click.command(cls=PathsCommand)
@click.option("--advisories", type=PATHS, multiple=True, required=True, metavar="PATH...")
@click.option("--out", type=PATHS, required=True, metavar="FILE", help="The index to write.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@quiet_collector()
def index(advisories: tuple[Path, ...], out: Path, as_json: bool) -> None:
    """Build the index that `vedette match --advisories FILE` reuses.

    Example: vedette index --advisories osv/ csaf/ --out advisories.idx
    """
    import json

    from vedette.formats.detect import AdvisoryPaths
    from vedette.matching.building import write

    line = ProgressLine()
    source = AdvisoryPaths(present(advisories), line.read)
    with line, whole(out) as file:
        made = write(source.prepared(), file)
    if not made.advisories:
        source.problems.append("no advisory was read, so that nothing will match")
    tell(source.problems)
    if as_json:
        record = {"advisories": made.advisories, "bytes": made.size, "digest": made.digest}
        click.echo(json.dumps(record | {"out": str(out), "problems": len(source.problems)}))
    else:
        known = counted(made.advisories, "advisory", "advisories")
        click.echo(f"{out}: {known}, {made.size:,} bytes, {made.digest}")


def _ray_pool(address: str) -> Executor:
    from vedette.runner.executors import RayPool

    return RayPool(address)


def _tell_parts(
    told: Iterable[Told],
    total: int,
    line: ProgressLine,
    problems: list[str],
    suppressed: list[Suppressed],
) -> int:
    """Write the lines of all parts once every inventory was read; return how many."""
    import shutil
    from tempfile import TemporaryFile

    lines = 0
    with TemporaryFile() as kept:
        for number, part in enumerate(told, 1):
            line.show(number, total, "parts of the inventories matched")
            kept.write(part.text)
            lines += part.lines
            problems += part.problems
            suppressed += part.suppressed
        kept.seek(0)
        shutil.copyfileobj(kept, sys.stdout.buffer, 1 << 20)
    return lines


class _Counted:
    """Passes items on and counts them."""

    def __init__(self, items: Iterable[Match]) -> None:
        self._items = items
        self.total = 0

    def __iter__(self) -> Iterator[Match]:
        for item in self._items:
            self.total += 1
            yield item


def _taken_away(suppressed: list[Suppressed]) -> list[str]:
    if not suppressed:
        return []
    counts = Counter(one.statement.status for one in suppressed)
    kinds = ", ".join(f"{count:,} {status}" for status, count in sorted(counts.items()))
    return [f"{len(suppressed):,} matches taken away by VEX ({kinds}); --format table shows each"]
