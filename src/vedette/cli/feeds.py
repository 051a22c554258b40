"""`vedette feeds`: public feeds kept in a folder that match and index read."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from vedette.cli.context import boot, instance_option
from vedette.cli.paths import PATHS, PathsCommand, tell
from vedette.cli.progress import ProgressLine


@click.group()
def feeds() -> None:
    """Public feeds of advisories, kept in a folder that match and index read.

    Example: vedette feeds sync --to feeds --source https://osv.example/PyPI/all.zip
    """


@feeds.command("sync", cls=PathsCommand)
@click.option("--to", type=PATHS, required=True, metavar="DIR", help="The folder to keep them in.")
@click.option(
    "--source",
    "sources",
    multiple=True,
    required=True,
    metavar="URL-OR-FOLDER...",
    help="OSV, CVE 5 or CSAF as JSON, zip or tar; a CSAF provider-metadata.json, ROLIE feed,"
    " changes.csv or index.txt; KEV as JSON; EPSS as CSV or CSV.GZ; or a folder of such files.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def sync(to: Path, sources: tuple[str, ...], as_json: bool) -> None:
    """Bring feeds up to date: only what changed, going on where a download stopped.

    A record that can't be read is listed, and the rest goes on. Exit 1 when a source could not be
    reached.

    Example: vedette feeds sync --to feeds --source https://osv.example/PyPI/all.zip kev.json
    """
    from vedette.formats.feeds.folder import FeedFolder
    from vedette.formats.feeds.syncing import sync as bring

    with FeedFolder(to).alone() as folder, ProgressLine() as line:
        reports = [bring(folder, source, line.show) for source in dict.fromkeys(sources)]
    tell([problem for report in reports for problem in report.problems])
    if as_json:
        click.echo(json.dumps({"to": str(to), "sources": [r.to_json() for r in reports]}))
    else:
        for given, report in zip(dict.fromkeys(sources), reports, strict=True):
            broken = f", {report.broken:,} broken" if report.broken else ""
            counts = f"{report.written:,} written, {report.unchanged:,} unchanged{broken}"
            click.echo(f"{given}: {counts if report.reached else 'not reached'}")
    if not all(report.reached for report in reports):
        sys.exit(1)


@feeds.command("take")
@click.argument("source", type=PATHS, metavar="DIR")
@instance_option
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def take(source: Path, folder: Path | None, as_json: bool) -> None:
    """Take a folder of feeds into an instance: advisories, KEV, EPSS; then build its index.

    On a clearinghouse it becomes the public index, on an operator's instance one of its own. Only
    what changed is read; again changes nothing. The worker matches. VEX among them is honoured on
    an operator's own instance; on a clearinghouse each operator chooses. With the setting `feeds`
    the worker does this every night by itself.

    Example: vedette feeds take feeds --instance clearinghouse
    """
    boot(folder, handlers=True)
    from vedette.services.acting import instance_actor
    from vedette.services.feeds import take_feeds

    with ProgressLine() as line:
        taken = take_feeds(instance_actor(), source, line.show)
    tell(taken.problems)
    if as_json:
        click.echo(json.dumps(taken.to_json()))
        return
    broken = f", {taken.broken:,} broken" if taken.broken else ""
    counts = f"{taken.accepted:,} new, {taken.updated:,} newer, {taken.already_known:,} unchanged"
    click.echo(counts + broken)
    if taken.kev is not None:
        click.echo(f"KEV: {taken.kev:,} listed")
    if taken.epss is not None:
        click.echo(f"EPSS: {taken.epss:,} scores")
    if taken.vex:
        click.echo(f"VEX: {taken.vex:,} documents; the page VEX says who honours them")
    click.echo(f"index {taken.index}: {taken.advisories:,} advisories")
