"""`vedette inventory`: what runs on this machine, as an SBOM."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from vedette.kernel.errors import BadInput

FOLDER = click.Path(path_type=Path)


@click.command()
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
def inventory(
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
    from vedette.formats.machine_in import debian_packages, from_purl, python_packages
    from vedette.formats.sbom_out import sbom

    if not root.is_dir():
        raise BadInput(f"--root {root}: no such folder")
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
        raise BadInput(f"{out}: can't be written ({error.strerror})") from None
    count = len(document["components"])
    record = {"components": count, "out": str(out), "serial": document["serialNumber"]}
    click.echo(json.dumps(record) if as_json else f"{out}: {count:,} components")


def _site_packages(given: Path) -> list[Path]:
    """A folder as it is, or the site-packages of a virtual environment. Raises BadInput."""
    if not given.is_dir():
        raise BadInput(f"--python {given}: no such folder")
    inside = sorted(given.glob("lib*/python*/site-packages"))
    return inside or [given]


def _running() -> list[Path]:
    return [Path(entry) for entry in sys.path if entry.endswith(("site-packages", "dist-packages"))]
