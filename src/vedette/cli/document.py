"""`vedette document`: marked documents taken as a copy, and whose copy a copy is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from vedette.cli.context import boot, instance_option
from vedette.kernel.clock import format_time
from vedette.kernel.errors import AnswerIsNo, BadInput, NotFound

LARGEST = 256 * 1024 * 1024


@click.group()
def document() -> None:
    """Marked documents taken as a copy, and whose copy a copy is.

    Example: vedette document whose copy-7k2m9x4qwb3n8rtz
    """


@document.command()
@click.argument("copy", metavar="CODE|FILE")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@instance_option
def whose(copy: str, as_json: bool, folder: Path | None) -> None:
    """Say whose copy a copy is: by the code at the foot of its pages, or by the file.

    Exit 1: no such copy was taken on this instance.

    Example: vedette document whose found.pdf --instance office
    """
    boot(folder)
    from vedette.services.acting import instance_actor
    from vedette.services.documents import whose_copy, whose_file

    try:
        found = (
            whose_file(instance_actor(), _read(Path(copy)))
            if Path(copy).is_file()
            else whose_copy(instance_actor(), copy)
        )
    except NotFound as error:
        raise AnswerIsNo(error.what, next_step=error.next_step) from None
    said = {
        "copy": found.id,
        "reader": found.reader,
        "address": found.address,
        "taken_at": format_time(found.taken_at),
        "kind": found.kind,
        "about": found.about,
        "form": found.form,
        "marking": found.marking,
        "digest": found.digest,
    }
    click.echo(json.dumps(said, indent=1) if as_json else _sentence(said))


def _read(path: Path) -> bytes:
    if path.stat().st_size > LARGEST:
        raise BadInput(f"{path}: larger than any copy", next_step="give the code on its pages")
    return path.read_bytes()


def _sentence(said: dict[str, Any]) -> str:
    who = f"{said['reader']} <{said['address']}>" if said["address"] else said["reader"]
    return (
        f"{said['copy']}: {who} took it at {said['taken_at']} as {said['form'].upper()},"
        f" of {said['kind']} {said['about']}, {said['marking']}"
    )


@document.command()
@click.argument("kind", type=click.Choice(["act", "assessment", "determination"]))
@click.argument("object_id", metavar="ID")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--form", type=click.Choice(["pdf", "json"]), default="pdf", show_default=True)
@instance_option
def take(kind: str, object_id: str, out: Path, form: str, folder: Path | None) -> None:
    """Take a copy of a document; it is logged like any other.

    Example: vedette document take assessment assessment-7k2m9x4qwb3n8rtz --out assessment.pdf
    """
    boot(folder)
    from vedette.services.acting import instance_actor
    from vedette.services.documents import take_copy

    made = take_copy(instance_actor(), kind, object_id, form)
    out.write_bytes(made.data)
    click.echo(f"{made.row.id}: {len(made.data):,} bytes in {out}, marked {made.row.marking}")
