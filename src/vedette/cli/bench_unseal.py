"""`vedette bench keyholder|unseal|seal`: a person's own acts on a sealed suite.

Rules:
- Who acts is whose token it is (`vedette token`), from VEDETTE_TOKEN or a file; the instance's
  owner, who makes all other commands, is no keyholder.
- A code is asked for without echo, or read as a line of standard input: it stands neither in the
  command, which other users of the machine can list, nor in a shell's history.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vedette.cli.context import boot, instance_option
from vedette.kernel.errors import BadInput, Forbidden

if TYPE_CHECKING:
    from vedette.services.acting import Actor

VARIABLE = "VEDETTE_TOKEN"
MOST = 4_096
token_option = click.option(
    "--token",
    "token",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"A file with your API token (else {VARIABLE}).",
)


def _person(token: Path | None) -> Actor:
    """Whoever the token belongs to. Raises BadInput without one, Forbidden with none of ours."""
    from vedette.services.accounts import actor_of_token

    given = token.read_text("utf-8")[:MOST] if token else os.environ.get(VARIABLE, "")
    if not given.strip():
        raise BadInput(
            "this is done by a person, and no token says who",
            next_step=f"vedette token YOU@OFFICE, then {VARIABLE} or --token FILE",
        )
    actor = actor_of_token(given.strip())
    if actor is None:
        raise Forbidden(
            "the token is none of this instance's", next_step="vedette token YOU@OFFICE"
        )
    return actor


def _code() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("your keyholder's code", hide_input=True, err=True))
    return sys.stdin.readline(MOST).strip()


@click.command()
@token_option
@instance_option
def keyholder(token: Path | None, folder: Path | None) -> None:
    """Become a keyholder of sealed suites; your code is shown once and kept nowhere.

    Example: VEDETTE_TOKEN=vdt_… vedette bench keyholder --instance office
    """
    boot(folder)
    from vedette.services import keyholders

    click.echo(keyholders.become(_person(token)))
    click.echo("write it down, apart from this instance; it is not shown again", err=True)


@click.command()
@click.argument("suite")
@click.option("--why", default="", help="What the colleague who seconds it reads.")
@click.option("--second", is_flag=True, help="Second what a colleague has proposed.")
@token_option
@instance_option
def unseal(suite: str, why: str, second: bool, token: Path | None, folder: Path | None) -> None:
    """Unseal a suite for runs: one keyholder proposes, another seconds, each with their code.

    SUITE is its name, or its id where an older version is meant. The code is asked for, or read
    from standard input.

    Example: vedette bench unseal workshop --why "run 12" --instance office
    """
    boot(folder)
    from vedette.kernel.clock import format_time
    from vedette.services import unsealing

    person: Any = _person(token)
    row = unsealing.find_named(person, suite)
    if second:
        unsealing.second_unsealing(person, row.id, _code())
        click.echo(f"{row.name} {row.version} is unsealed: runs can open its items")
        click.echo(f"next: vedette bench seal {suite}, when they are done")
        return
    made = unsealing.ask_unsealing(person, row.id, _code(), why)
    click.echo(f"proposed; it lapses at {format_time(made.lapses_at)}")
    click.echo(f"next: a colleague does vedette bench unseal {suite} --second")


@click.command()
@click.argument("suite")
@token_option
@instance_option
def seal(suite: str, token: Path | None, folder: Path | None) -> None:
    """Seal a suite again: the key that lies on the instance is destroyed. One person can.

    Example: vedette bench seal workshop --instance office
    """
    boot(folder)
    from vedette.services import unsealing

    person = _person(token)
    row = unsealing.take_back(person, unsealing.find_named(person, suite).id)
    click.echo(f"{row.name} {row.version} is sealed")
