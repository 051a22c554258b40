"""`vedette bench scan`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from vedette.bench.results import RunResult

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.option("--suite", help="Its folder, where it is none that comes with Vedette.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable, on stdout.")
def scan(folder: Path, suite: str | None, as_json: bool) -> None:
    """Scan the transcripts of a finished run anew, an older one, too.

    It flags words that hint at cheating (reaching for verifier, network, host, reference input, the
    sanitizer's words, the signal, canaries) or at a subject that knew it was tested: by rules, and
    what it said or thought by learned weights, too. A flag says why, and is a reason to read, no
    verdict: the scan misses much, and now and then cries wolf.

    Example: vedette bench scan run-1
    """
    from vedette.bench.transcripts import scan_result
    from vedette.runner.runfolder import load_result

    result = load_result(folder)
    found = scan_result(result, canaries_of(result, suite))
    if as_json:
        click.echo(json.dumps(found.to_json(), indent=1))
        return
    for flag in found.flags:
        place = f"{flag.subject}, {flag.item}, {flag.where}"
        click.echo(f"{flag.kind:<10} {place}: {flag.quote}  [{flag.grounds}]")
    counts = found.to_json()["counts"]
    told = [f"{name}: {sum(kinds.values())}" for name, kinds in counts.items()]
    click.echo(f"flags to read, by subject: {', '.join(told) or 'none'}")


def canaries_of(result: RunResult, named: str | None) -> list[str]:
    """The canary of a run's suite: the one named, else a shipped one of the committed name.

    Says on standard error where it is not known. Raises BadInput where it is another suite's.
    """
    from vedette.bench.suites import find_suite, shipped_suites
    from vedette.kernel.errors import BadInput

    committed = result.commitment.suite
    name = named or str(committed.get("name", ""))
    if named is None and name not in shipped_suites():
        click.echo(
            "the suite's own canary is not searched for: name its folder with --suite", err=True
        )
        return []
    found = find_suite(name)
    if found.digest != committed.get("digest"):
        if named is None:
            click.echo("the suite's own canary may be another: it has changed since", err=True)
        else:
            raise BadInput(f"--suite: {name} is not the suite that was committed to")
    return [found.canary]
