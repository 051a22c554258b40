"""`vedette inventory`: this machine as an SBOM; what a list was taken for; what was meant."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from vedette.cli.paths import PathsCommand, present, tell
from vedette.kernel.errors import BadInput
from vedette.kernel.words import counted

FOLDER = click.Path(path_type=Path)


@click.group(invoke_without_command=True)
@click.option("--out", type=FOLDER, metavar="FILE", help="Write here instead of to stdout.")
@click.option("--root", type=FOLDER, default=Path("/"), show_default=True, metavar="DIR")
@click.option(
    "--python",
    "pythons",
    type=FOLDER,
    multiple=True,
    metavar="DIR",
    help="A virtual environment or a site-packages folder; default: the one running.",
)
@click.option("--add", "added", multiple=True, metavar="PURL", help="One more component.")
@click.option("--subject", default="this-machine", show_default=True, help="Name of the machine.")
@click.option("--json", "as_json", is_flag=True, help="With --out: print the result as JSON.")
@click.pass_context
def inventory(
    context: click.Context,
    out: Path | None,
    root: Path,
    pythons: tuple[Path, ...],
    added: tuple[str, ...],
    subject: str,
    as_json: bool,
) -> None:
    """Inventory of this machine as a CycloneDX 1.6 SBOM: Debian and Python packages.

    Example: vedette inventory --add pkg:pypi/ujson@5.1.0 --out sbom.cdx.json
    """
    if context.invoked_subcommand is not None:
        return
    from vedette.formats.machine_in import debian_packages, from_purl, python_packages
    from vedette.formats.sbom_out import sbom

    if not root.is_dir():
        raise BadInput(
            f"--root {root}: no such folder",
            next_step="name the root of a file system, / for this one",
        )
    folders = [f for given in pythons for f in _site_packages(given)] or _running()
    components = [
        *debian_packages(root),
        *python_packages(folders),
        *(from_purl(purl) for purl in added),
    ]
    document = sbom(components, subject)
    content = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    if out is None:
        sys.stdout.write(content)
        return
    try:
        out.write_text(content, "utf-8")
    except OSError as error:
        raise BadInput(
            f"{out}: can't be written ({error.strerror})",
            next_step="see to its owner, its rights and the room left",
        ) from None
    count = len(document["components"])
    record = {"components": count, "out": str(out), "serial": document["serialNumber"]}
    click.echo(json.dumps(record) if as_json else f"{out}: {count:,} components")


@inventory.command("columns")
@click.argument("file", type=FOLDER)
@click.option("--columns", "chosen", metavar="FIELD=HEADER,...", help="Overrule the guess.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def columns(file: Path, chosen: str | None, as_json: bool) -> None:
    """Which column of an asset CSV is taken as what, and which are left.

    Example: vedette inventory columns plant.csv --columns product=Device,version=
    """
    from vedette.formats.assets_in import decode, find_columns
    from vedette.formats.detect import content

    found = find_columns(decode(content(file), str(file)), str(file), chosen_columns(chosen))
    if as_json:
        record = {"columns": found.named, "left": found.left, "separator": found.separator}
        click.echo(json.dumps({"file": str(file), **record}))
        return
    for field, header in found.named.items():
        click.echo(f"{field:<12} {header}")
    for header in found.left:
        click.echo(f"{'(left)':<12} {header}")


def chosen_columns(words: str | None) -> dict[str, str]:
    """Read `field=header,...`; a field without a header is taken from none. Raises BadInput."""
    from vedette.formats.assets_in import FIELDS

    chosen: dict[str, str] = {}
    for pair in (words or "").split(","):
        field, equals, header = pair.partition("=")
        field = field.strip().lower()
        if not pair.strip():
            continue
        if not equals or field not in FIELDS:
            raise BadInput(
                f"--columns {pair.strip()[:60]!r}: a field and its header expected",
                next_step=f"write product=Device; the fields are {', '.join(sorted(FIELDS))}",
            )
        chosen[field] = header.strip()
    return chosen


@inventory.command("candidates", cls=PathsCommand)
@click.argument("words")
@click.option(
    "--advisories",
    type=FOLDER,
    multiple=True,
    required=True,
    metavar="PATH...",
    help="Files or folders of OSV, CSAF 2.0/2.1 or CVE JSON 5, or an index.",
)
@click.option("--limit", type=click.IntRange(1, 100), default=10, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def candidates(words: str, advisories: tuple[Path, ...], limit: int, as_json: bool) -> None:
    """Products that the advisories know and that WORDS may mean, the best first.

    Example: vedette inventory candidates "Modicon M340, Ignition 8.1" --advisories csaf/
    """
    from vedette.formats.detect import AdvisoryPaths
    from vedette.formats.typed_in import entries
    from vedette.matching.candidates import Known

    typed = entries(words)
    if not typed:
        raise BadInput(f"{words[:60]!r} names no product", next_step="write: Ignition 8.1")
    source = AdvisoryPaths(present(advisories))
    known = Known(source.advisories())
    meant = [(entry, known.meant(entry.readings, limit)) for entry in typed]
    tell(source.problems)
    if as_json:
        rows = [
            {
                "entry": entry.text,
                "name": entry.name,
                "version": entry.version,
                "candidates": [asdict(candidate) for candidate in found],
            }
            for entry, found in meant
        ]
        click.echo(json.dumps(rows))
        return
    for entry, found in meant:
        click.echo(entry.text + ("" if found else ": nothing like it is known"))
        for one in found:
            held = counted(one.advisories, "advisory", "advisories")
            click.echo(f"  {one.score:.2f}  {one.vendor}  {one.product}  ({held})")


def _site_packages(given: Path) -> list[Path]:
    """A folder as it is, or the site-packages of a virtual environment. Raises BadInput."""
    if not given.is_dir():
        raise BadInput(
            f"--python {given}: no such folder",
            next_step="name a virtual environment or a site-packages folder",
        )
    inside = sorted(given.glob("lib*/python*/site-packages"))
    return inside or [given]


def _running() -> list[Path]:
    return [Path(entry) for entry in sys.path if entry.endswith(("site-packages", "dist-packages"))]
