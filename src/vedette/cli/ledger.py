"""`vedette ledger`: export and verify ledgers."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from vedette.cli.context import boot, instance_option
from vedette.kernel.bounds import read_json
from vedette.kernel.errors import AnswerIsNo, BadInput
from vedette.kernel.words import counted
from vedette.ledger.checkpoint import Checkpoint
from vedette.ledger.export import (
    find_export,
    read_checkpoints,
    read_entries,
    read_kept,
    read_keys,
)
from vedette.ledger.verify import Verdict, verify_chain

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def ledger() -> None:
    """Export and verify ledgers.

    Example: vedette ledger verify demo-out/ledgers/lab
    """


@ledger.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--checkpoint", type=FILE, help="A checkpoint (or several) that you kept elsewhere.")
@click.option("--keys", type=FILE, help="Public keys (or a card) to trust instead of the export's.")
@click.option("--json", "as_json", is_flag=True, help="The verdict as JSON on stdout.")
@instance_option
def verify(
    path: Path | None,
    checkpoint: Path | None,
    keys: Path | None,
    as_json: bool,
    folder: Path | None,
) -> None:
    """Verify an exported ledger, a folder or its ledger.jsonl; without one, the instance's own.

    Exit 0: intact, with what that proves. Exit 1: the first broken entry.

    Example: vedette ledger verify demo-out/ledgers/lab --checkpoint kept.json
    """
    kept = read_kept(checkpoint) if checkpoint else []
    if path is not None:
        verdict = _verify(path, kept, keys)
    else:
        with tempfile.TemporaryDirectory(prefix="vedette-ledger-") as copy:
            _export(Path(copy), folder)
            verdict = _verify(Path(copy), kept, keys)
    if as_json:
        click.echo(json.dumps(verdict.to_json(), indent=1))
    elif verdict.intact:
        click.echo(_text(verdict))
    if verdict.first_broken is not None:
        raise AnswerIsNo(
            f"ledger broken at entry {verdict.first_broken}: {verdict.reason}",
            kept=f"entries before it: {verdict.first_broken - 1}, {_against(verdict)}",
            next_step="compare with a checkpoint and a copy that were kept elsewhere",
        )


@ledger.command()
@click.argument("target", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@instance_option
def export(target: Path, folder: Path | None) -> None:
    """Write the instance's ledger to DIR: ledger.jsonl, checkpoints.jsonl, keys.json.

    Example: vedette ledger export copy --instance lab
    """
    count = _export(target.absolute(), folder)
    click.echo(f"{count} entries in {target}\nnext: vedette ledger verify {target}")


@ledger.command()
@click.argument("exports", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--names", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--heading", default="Timeline", help="The page's heading.")
def timeline(exports: tuple[Path, ...], out: Path, names: Path | None, heading: str) -> None:
    """Weave several exports into one story: OUT/timeline.html and OUT/timeline.json.

    Each export's folder name names its instance. --names is a JSON object of object ids and what
    whoever may read them calls them, because a ledger holds no content.

    Example: vedette ledger timeline copies/lab copies/office --out story
    """
    from vedette.formats.timeline_page import render
    from vedette.ledger.timeline import weave

    known = read_json(names.read_bytes(), source=str(names)) if names else {}
    if not isinstance(known, dict):
        raise BadInput(f"{names}: an object of ids and names expected")
    lanes = [path.stem if path.is_file() else path.resolve().name for path in exports]
    story = weave(
        {
            lane: [entry for entry, _ in read_entries(find_export(path).ledger)]
            for lane, path in zip(lanes, exports, strict=True)
        },
        {str(key): str(value) for key, value in known.items()},
    )
    out.mkdir(parents=True, exist_ok=True)
    (out / "timeline.json").write_text(
        json.dumps(story.to_json(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    (out / "timeline.html").write_text(render(story, heading, lanes), encoding="utf-8")
    entries = counted(len(story.moments), "entry", "entries")
    click.echo(f"{entries} and {counted(len(story.crossings), 'message')} in {out}")


def _export(target: Path, instance: Path | None) -> int:
    boot(instance)
    from vedette.services.ledgers import export_ledger

    try:
        return export_ledger(target)
    except OSError as error:
        raise BadInput(
            f"{target}: {error.strerror}", next_step="name a folder that you can write to"
        ) from None


def _verify(path: Path, kept: list[Checkpoint], keys: Path | None) -> Verdict:
    export = find_export(path)
    trusted = keys or export.keys
    known = read_keys(trusted) if trusted else []
    if not known and (kept or export.checkpoints):
        raise BadInput(
            f"{path}: no keys.json beside the ledger", next_step="name the public keys with --keys"
        )
    own = read_checkpoints(export.checkpoints) if export.checkpoints else iter(())
    with _progress(export.ledger.stat().st_size) as advance:
        return verify_chain(read_entries(export.ledger, advance), own, known, kept)


@contextmanager
def _progress(size: int) -> Iterator[Callable[[int], object]]:
    """A bar on stderr for a file that takes over a second; none when stderr is no terminal."""
    if size < 20_000_000 or not sys.stderr.isatty():
        yield lambda count: None
        return
    with click.progressbar(length=size, label="verifying", file=sys.stderr) as bar:
        yield bar.update


def _against(verdict: Verdict) -> str:
    point = verdict.checkpoint
    return "no checkpoint holds" if point is None else f"the checkpoint at size {point.size} holds"


def _text(verdict: Verdict) -> str:
    lines = [f"Intact: {verdict.size} entries.", f"This proves {verdict.proves}."]
    if verdict.checkpoint is not None:
        point = verdict.checkpoint
        lines.append(f"Checkpoint: size {point.size}, root {point.root}, key {point.keyid}")
    if verdict.simulated:
        lines.append("Some entries carry simulated time, as in a demo.")
    return "\n".join(lines)
