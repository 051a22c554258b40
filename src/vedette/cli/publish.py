"""`vedette publish`: a case's advisory as a file in a format of the field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from vedette.cli.context import boot, instance_option
from vedette.kernel.errors import AnswerIsNo, BadInput

FORMATS = ("csaf", "osv", "vex")


@click.command()
@click.option("--format", "formats", required=True, multiple=True, help=", ".join(FORMATS) + ".")
@click.option("--case", "case_id", required=True, help="The case's or the advisory's id.")
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder that the file goes to; made where it is missing.",
)
@click.option(
    "--schema",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="OSV's official schema, to check the OSV record against.",
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@instance_option
def publish(
    formats: tuple[str, ...],
    case_id: str,
    out: Path,
    schema: Path | None,
    as_json: bool,
    folder: Path | None,
) -> None:
    """Write the published advisory of a case in a format of the field.

    Formats: csaf (CSAF 2.0), osv (OSV 1.7), vex (OpenVEX). CVE and STIX are not written by this
    version. Each document is checked by the format's own validator before it is written.

    Example: vedette publish --format csaf --case case-7k2m9x4qwb3n8rtz --out advisories
    """
    for name in formats:
        if name not in FORMATS:
            raise BadInput(
                f"--format {name[:20]!r} is not written by this version",
                next_step=f"formats: {', '.join(FORMATS)}",
            )
    boot(folder)
    from vedette.services.acting import instance_actor
    from vedette.services.advisories import render

    account = []
    for name in formats:
        file, document = render(instance_actor(), case_id, name)
        checked = _check(name, document, schema)
        path = out / file
        _write(path, document)
        account.append({"format": name, "file": str(path), "validator": checked})
    if as_json:
        click.echo(json.dumps(account, indent=1))
        return
    for line in account:
        click.echo(f"{line['file']} ({line['format']}; validator: {line['validator']})")


def _check(name: str, document: dict[str, Any], schema: Path | None) -> str:
    from vedette.formats.validate import NOT_CHECKED, validate_csaf, validate_osv

    if name == "vex":
        return NOT_CHECKED + "OpenVEX has no validator here"
    faults = validate_csaf(document) if name == "csaf" else validate_osv(document, schema)
    wrong = [fault for fault in faults if not fault.startswith(NOT_CHECKED)]
    if wrong:
        raise AnswerIsNo(f"the {name} document is faulted: {wrong[0]}", kept="nothing was written")
    return faults[0] if faults else "passed"


def _write(path: Path, document: dict[str, Any]) -> None:
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial")
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise BadInput(f"{path}: can't be written ({error.strerror})") from None
