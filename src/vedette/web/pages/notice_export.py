"""A list of notices as a file to keep: CSV for a spreadsheet, JSON for a program."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse

from vedette.formats.matches_out import csv_cell
from vedette.web.pages.labels import as_file

COLUMNS = (
    *("inventory", "notice", "advisory", "known_as", "title", "component", "version", "fixed"),
    *("verdict", "confidence", "reason", "row", "deadline"),
    *("state", "control", "expires_at", "answered_by", "mandate"),
)


def exported(kind: str, rows: list[dict[str, Any]], columns: Sequence[str]) -> HttpResponse:
    """Described notices as a file: JSON where `kind` is json, else CSV with these columns."""
    if kind == "json":
        return as_file("notices.json", rows)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([csv_cell(cell) for cell in _cells(row, columns)] for row in rows)
    response = HttpResponse(buffer.getvalue(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="notices.csv"'
    return response


def _cells(row: dict[str, Any], columns: Sequence[str]) -> list[str]:
    component = row["component"]
    own = {
        **row,
        "operator": row.get("operator", {}).get("name"),
        "inventory": row["inventory"]["name"],
        "notice": row["id"],
        "component": component["name"],
        "version": component["version"],
        "fixed": " ".join(component["fixed"]),
        "known_as": " ".join(row["known_as"]),
    }
    return [str(own[name] or "") for name in columns]
