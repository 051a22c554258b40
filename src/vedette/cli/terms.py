"""`vedette exchange terms verify`: signed terms, checked by anybody, offline and alone."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from vedette.kernel.bounds import read_json

WORDS = {True: "yes", False: "NO", None: "not signed"}
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def terms() -> None:
    """Signed terms of an access window, as files.

    Example: vedette exchange terms verify terms.json --card lab.card.json
    """


@terms.command()
@click.argument("file", type=FILE)
@click.option(
    "--card",
    "cards",
    multiple=True,
    type=FILE,
    help="A side's card; with cards both keys must be on one of them.",
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def verify(file: Path, cards: tuple[Path, ...], as_json: bool) -> None:
    """Check both sides' signatures over terms. Exit 1 where they do not hold.

    Example: vedette exchange terms verify terms.json --card lab.card.json --card office.card.json
    """
    from vedette.engagement.signed_terms import verify as check
    from vedette.exchange.card import Card

    known = [
        Card.from_json(read_json(path.read_bytes(), source=str(path))).keys.keyid for path in cards
    ]
    document, checks = check(read_json(file.read_bytes(), source=str(file)), known)
    if as_json:
        rows = [{"what": one.what, "holds": one.holds} for one in checks]
        summary = {"act": document.act, "version": document.version, "digest": document.digest}
        click.echo(json.dumps({**summary, "checks": rows}, indent=1))
    else:
        click.echo(f"terms of {document.act}, version {document.version}, {document.digest}")
        for one in checks:
            click.echo(f"{WORDS[one.holds]}: {one.what}")
        if not cards:
            keys = f"lab {document.lab}, office {document.office}"
            click.echo(f"keys: {keys}; compare them with the sides' cards", err=True)
    if not all(one.holds for one in checks):
        sys.exit(1)
