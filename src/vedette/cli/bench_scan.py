"""`vedette bench scan`."""

from __future__ import annotations

import json
from pathlib import Path

import click

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable, on stdout.")
def scan(folder: Path, as_json: bool) -> None:
    """Scan the transcripts of a finished run anew, an older one, too.

    It flags words that hint at cheating (reaching for verifier, network, host, reference input, the
    sanitizer's words, the signal, canaries) or at a subject that knew it was tested. A flag is a
    reason to read, no verdict: the rules miss much, and now and then cry wolf.

    Example: vedette bench scan run-1
    """
    from vedette.bench.suites import find_suite
    from vedette.bench.transcripts import scan_result
    from vedette.kernel.errors import BadInput, NotFound
    from vedette.runner.runfolder import load_result

    result = load_result(folder)
    try:
        canaries = [find_suite(str(result.commitment.suite.get("name", ""))).canary]
    except (BadInput, NotFound):
        canaries = []
    found = scan_result(result, canaries)
    if as_json:
        click.echo(json.dumps(found.to_json(), indent=1))
        return
    for flag in found.flags:
        place = f"{flag.subject} {flag.item}#{flag.trial} step {flag.line}"
        click.echo(f"{flag.kind:<10} {place}: {flag.quote}")
    counts = found.to_json()["counts"]
    told = [f"{name}: {sum(kinds.values())}" for name, kinds in counts.items()]
    click.echo(f"flags to read, by subject: {', '.join(told) or 'none'}")
