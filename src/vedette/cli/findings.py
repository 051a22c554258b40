"""`vedette findings`: import findings into an instance, find duplicates stand-alone."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import click

from vedette.clearinghouse.findings import Finding
from vedette.cli.context import boot, instance_option
from vedette.formats.findings_in import Rejection, read_findings
from vedette.kernel.errors import BadInput

REJECTED = ".rejected.jsonl"


@click.group()
def findings() -> None:
    """Import findings, find duplicates.

    Example: vedette findings import findings.jsonl --reporter "Second Finder"
    """


@findings.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Where rows go.")
@click.option("--json", "as_json", is_flag=True, help="Print the account as JSON on stdout.")
def dedupe(file: Path, out: Path, as_json: bool) -> None:
    """Group the findings of FILE by the bug they describe.

    Needs no instance. What can't be taken goes to OUT.rejected.jsonl with line and reason.

    Example: vedette findings dedupe findings.jsonl --out groups.jsonl
    """
    from vedette.clearinghouse.duplicates import STEPS, cluster

    taken, rejected = _sort_out(read_findings(file))
    if not taken and rejected:
        rejected_file = write_rejections(out, rejected)
        raise BadInput(
            f"{file}: none of {len(rejected)} records can be taken; {rejected[0].reason}",
            kept=f"every record with its reason in {rejected_file}",
        )
    with click.progressbar(
        length=len(STEPS),
        label="finding duplicates",
        file=sys.stderr,
        hidden=not sys.stderr.isatty(),
    ) as bar:
        rows = cluster(taken, lambda step: bar.update(1))
    _write_lines(out, rows)
    account: dict[str, Any] = {
        "findings": len(rows),
        "groups": len({row["cluster"] for row in rows}),
        "rejected": len(rejected),
        "out": str(out),
    }
    if rejected:
        account["rejected_file"] = str(write_rejections(out, rejected))
    if as_json:
        click.echo(json.dumps(account))
        return
    click.echo(f"{account['findings']} findings, {account['groups']} bugs, written to {out}")
    if rejected:
        click.echo(
            f"{len(rejected)} rejected, with line and reason in {account['rejected_file']}",
            err=True,
        )


@findings.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--reporter", default="", help="Organisation that they belong to, by name or id.")
@instance_option
def import_(file: Path, reporter: str, folder: Path | None) -> None:
    """Take the findings of FILE into a clearinghouse; running it again changes nothing.

    FILE is JSON Lines, SARIF 2.1, a CSAF vulnerability report, OSV or CSV. What can't be taken goes
    to FILE.rejected.jsonl with line and reason. A reporter who is not here yet is added.

    Example: vedette findings import findings.jsonl --reporter "Second Finder"
    """
    boot(folder)
    from vedette.services.acting import instance_actor
    from vedette.services.imports import import_findings

    target = file.with_name(file.name + REJECTED)
    with (
        click.progressbar(
            read_findings(file),
            label="importing",
            file=sys.stderr,
            hidden=not sys.stderr.isatty(),
            show_pos=True,
        ) as rows,
        _Rejections(target) as rejections,
    ):
        counts = import_findings(instance_actor(), rows, reporter=reporter, rejected=rejections.add)
    click.echo(json.dumps(counts))
    if counts["rejected"]:
        click.echo(f"{counts['rejected']} rejected, with line and reason in {target}", err=True)


class _Rejections:
    """Writes rejections to a file as they come; without any, there is no file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def __enter__(self) -> _Rejections:
        self._path.unlink(missing_ok=True)
        return self

    def add(self, rejection: Rejection) -> None:
        if self._file is None:
            try:
                self._file = self._path.open("w", encoding="utf-8")
            except OSError as error:
                raise BadInput(f"{self._path}: can't be written ({error.strerror})") from None
        self._file.writelines(_lines([rejection.as_dict()]))

    def __exit__(self, *error: object) -> None:
        if self._file is not None:
            self._file.close()


def _sort_out(read: Iterable[Finding | Rejection]) -> tuple[list[Finding], list[Rejection]]:
    """Part findings from rejections; one id may not name two contents.

    Of two contents under one id the one with the smaller digest is taken, whichever came first.
    """
    taken: dict[str, Finding] = {}
    rejected: list[Rejection] = []
    for item in read:
        if isinstance(item, Rejection):
            rejected.append(item)
            continue
        known = taken.setdefault(item.id, item)
        if known == item:
            continue
        kept, other = sorted((known, item), key=lambda finding: finding.key)
        taken[item.id] = kept
        reason = f"id: {other.id!r} already names another finding"
        rejected.append(Rejection(0, reason, json.dumps(other.as_dict(), sort_keys=True)))
    return list(taken.values()), rejected


def write_rejections(path: Path, rejected: Iterable[Rejection]) -> Path:
    """Write rejections beside `path` and return the file's name."""
    target = path.with_name(path.name + REJECTED)
    _write_lines(target, (rejection.as_dict() for rejection in rejected))
    return target


def _write_lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    try:
        with path.open("w", encoding="utf-8") as file:
            file.writelines(_lines(rows))
    except OSError as error:
        raise BadInput(f"{path}: can't be written ({error.strerror})") from None


def _lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    for row in rows:
        yield json.dumps(row, ensure_ascii=False) + "\n"
