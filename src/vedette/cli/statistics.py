"""What the statistics commands share: options, a table for people, a mapping from CSV."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vedette.kernel.errors import BadInput

if TYPE_CHECKING:
    from vedette.bench.intervals import ErrorParts

FILE = click.Path(path_type=Path)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
seed_option = click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Random seed."
)


def show(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; the first column stands left, the others right."""
    table = [list(headings), *map(list, rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(headings))]
    for row in table:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        click.echo("  ".join(cells).rstrip())


def figure(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def span(interval: Sequence[float | None] | None, digits: int = 2) -> str:
    if interval is None:
        return "-"
    return " to ".join(figure(value, digits) for value in interval)


def error_rows(parts: ErrorParts | None, drawn: str) -> list[tuple[str, str]]:
    """Rows of a mean's standard error, by what was `drawn` and by its trials."""
    if parts is None:
        return []
    rows = [(f"standard error by {drawn}", figure(parts.items, 3))]
    return rows if parts.trials is None else [*rows, ("by trials", figure(parts.trials, 3))]


def pairs(path: Path) -> dict[str, str]:
    """A CSV of two columns as a mapping; a first line that names them is passed over."""
    from vedette.bench.responses import delimiter, not_utf8

    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file, delimiter=delimiter(file))
            rows = [row for row in lines if any(cell.strip() for cell in row)]
    except UnicodeDecodeError:
        raise not_utf8(path) from None
    except (OSError, csv.Error) as error:
        raise BadInput(f"{path}: can't be read ({error})") from None
    found: dict[str, str] = {}
    for number, row in enumerate(rows, 1):
        if len(row) != 2:
            raise BadInput(f"{path}, line {number}: two cells expected")
        item, value = (cell.strip() for cell in row)
        if number == 1 and item.lower() == "item":
            continue
        if found.setdefault(item, value) != value:
            raise BadInput(f"{path}, line {number}: {item[:60]!r} stands twice")
    return found
