"""`vedette bench list|new|generate|certify|take`."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vedette.cli.bench_runs import FOLDER, as_json, cache
from vedette.cli.context import boot, instance_option
from vedette.cli.progress import ProgressLine
from vedette.kernel.errors import AnswerIsNo

if TYPE_CHECKING:
    from vedette.bench.suites import Suite
    from vedette.runner.certify import Certificate


resist = click.option(
    "--resist",
    type=click.IntRange(0, 100_000),
    default=200,
    show_default=True,
    help="Mutated inputs that each fixed build must withstand.",
)
chance = click.option(
    "--chance",
    type=click.IntRange(1, 100_000),
    help="Random inputs that must not solve an item [the item's budget of executions].",
)
seed = click.option("--seed", type=click.IntRange(0), default=0, show_default=True)


@click.command("list")
@click.argument("names", nargs=-1, metavar="[SUITE]...")
@as_json
def list_suites(names: tuple[str, ...], as_json: bool) -> None:
    """List suites with their items: those that come with Vedette, or SUITEs, names or folders.

    Of each item: family, domain, what it takes a skilled person in minutes, its title.

    Example: vedette bench list suite-7
    """
    from vedette.bench.suites import find_suite, shipped_suites

    suites = [find_suite(name) for name in names or shipped_suites()]
    if as_json:
        rows = [
            {
                "name": suite.name,
                "version": suite.version,
                "title": suite.title,
                "marking": str(suite.marking),
                "digest": suite.digest,
                "items": [
                    {
                        "id": item.id,
                        "family": item.family,
                        "domain": item.domain,
                        "title": item.title,
                        "human_minutes": item.human_minutes,
                        "human_minutes_sd": item.human_minutes_sd,
                        "budget": dict(item.budget),
                    }
                    for item in suite.items
                ],
            }
            for suite in suites
        ]
        click.echo(json.dumps(rows, indent=1))
        return
    for suite in suites:
        click.echo(f"{suite.name} {suite.version}  {suite.marking}  {suite.title}")
        for item in suite.items:
            minutes = f"{item.human_minutes:g} min"
            click.echo(
                f"  {item.id:<14} {item.family:<24} {item.domain:<11} {minutes:>7}  {item.title}"
            )


@click.command()
@click.argument("folder", type=FOLDER, metavar="DIR")
def new(folder: Path) -> None:
    """Start a suite of your own in a new folder: one item that certifies, to change.

    Example: vedette bench new my-suite
    """
    from vedette.runner.scaffold import new_suite

    suite = new_suite(folder)
    click.echo(f"{folder}: suite {suite.name} with {len(suite.items)} item")
    click.echo(f"next: vedette bench certify {folder}")


@click.command()
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.option(
    "--seed", type=click.IntRange(0), help="The same seed writes the same suite [random]."
)
@as_json
def generate(folder: Path, seed: int | None, as_json: bool) -> None:
    """Write a suite of toy programs anew: 14 kinds of flaw, to find on four rungs and to mend.

    Nine kinds are daemons in C; five are services in Python that let a rule be broken which
    something apart from them watches. One item more is a plant: four hops, each in a sandbox of its
    own, before a tank; and one asks to defend such a plant under attack.

    A rung is harder by its knobs: gates to pass, groups to nest, steps before the flaw shows, a
    checksum over each frame. Names, numbers and sizes follow from the seed.

    Example: vedette bench generate suite-7 --seed 7
    """
    from vedette.runner.scaffold import generated_suite

    seed = secrets.randbelow(2**48) if seed is None else seed
    suite = generated_suite(folder, seed)
    if as_json:
        said = {"suite": suite.name, "seed": seed, "digest": suite.digest}
        click.echo(json.dumps(said | {"items": [item.id for item in suite.items]}))
        return
    click.echo(f"{folder}: suite {suite.name} of seed {seed} with {len(suite.items)} items")
    click.echo(f"next: vedette bench certify {folder}")


@click.command()
@click.argument("suite")
@resist
@chance
@seed
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Keep them in a file.")
@cache
@as_json
def certify(
    suite: str,
    resist: int,
    chance: int | None,
    seed: int,
    out: Path | None,
    cache: Path | None,
    as_json: bool,
) -> None:
    """Certify a suite's items by execution; exit 1 when one fails.

    Each item's reference input must crash the vulnerable build alone and alike each time, its fixed
    build withstand changed inputs, the reference subjects tell (oracle solves it, null and random
    do not), and known cheats get nothing.

    Example: vedette bench certify daemons --out daemons.certificates.json
    """
    from datetime import UTC, datetime

    from vedette.bench.suites import find_suite
    from vedette.runner.certify import document_of

    found = find_suite(suite)
    made = _certified(found, resist, chance, seed, cache)
    document = document_of(found, made, seed=seed, now=datetime.now(UTC))
    if out is not None:
        out.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    if as_json:
        click.echo(json.dumps(document["items"], indent=1))
    else:
        _tell(made)
    _all_hold(made)


@click.command()
@click.argument("suite", type=FOLDER)
@resist
@chance
@seed
@cache
@instance_option
def take(
    suite: Path, resist: int, chance: int | None, seed: int, cache: Path | None, folder: Path | None
) -> None:
    """Take a suite of your own into an office's instance, where it can be run like a shipped one.

    It is certified first, in memory, item by item; one item that fails keeps the whole of it out.
    Then each item is sealed under a key that two keyholders make again, none of them alone, and
    kept under the suite's digest. The folder that you name stays as it is: remove it yourself.

    Example: vedette bench take suite-7 --instance office
    """
    boot(folder)
    from vedette.bench.suites import load_suite
    from vedette.runner.private import private_folder
    from vedette.services.acting import instance_actor
    from vedette.services.suites import check_taking, take_suite

    found = load_suite(suite)
    check_taking(instance_actor(), found)
    with private_folder() as private:
        made = _certified(found, resist, chance, seed, cache or private / "builds")
    _tell(made)
    _all_hold(made)
    row = take_suite(instance_actor(), found, made, seed=seed)
    click.echo(f"{row.name} {row.version} is taken in and sealed as {row.digest}")
    click.echo(
        f"next: two keyholders unseal it for a run (vedette bench unseal {row.name}, or /suites/);"
        " remove the folder it came from"
    )


def _certified(
    suite: Suite, resist: int, chance: int | None, seed: int, cache: Path | None
) -> list[Certificate]:
    from vedette.runner.certify import certify as certify_suite
    from vedette.runner.native import default_cache

    with ProgressLine() as line:
        count = iter(range(1, len(suite.items) + 1))
        return certify_suite(
            suite,
            cache_dir=cache or default_cache(),
            resist=resist,
            chance=chance,
            seed=seed,
            progress=lambda made: line.show(next(count), len(suite.items), made.item),
        )


def _all_hold(made: list[Certificate]) -> None:
    failed = [each.item for each in made if not each.holds]
    if failed:
        raise AnswerIsNo(
            f"{len(failed)} of {len(made)} items do not certify: {', '.join(failed)}",
            next_step="mend them; a run refuses a suite whose reference inputs fail",
        )


def _tell(made: list[Certificate]) -> None:
    for each in made:
        said = "; ".join(each.problems) or each.evidence.reason
        click.echo(f"{'holds' if each.holds else 'FAILS'}  {each.item:<14} {said}")
