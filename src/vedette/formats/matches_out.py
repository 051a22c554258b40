"""Matches as JSON Lines, table, CSV, SARIF 2.1.0 and OpenVEX; each writer streams where it can."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from vedette import __version__
from vedette.kernel.clock import format_time
from vedette.matching.model import LINE, Match

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def jsonl(matches: Iterable[Match], now: datetime) -> Iterator[str]:
    """One JSON object a line."""
    for match in matches:
        yield json.dumps(match.line()) + "\n"


def table(matches: Iterable[Match], now: datetime) -> Iterator[str]:
    """A line a match for people; control characters are shown as `?`."""
    count = 0
    for match in matches:
        count += 1
        version = match.version or "(no version)"
        name = match.name or match.component
        fixed = ", ".join(match.fixed) or "none stated"
        ids = " ".join((match.advisory, *match.aliases))
        yield (
            _printable(
                f"{match.verdict:<8}  {match.confidence:<8}  {name} {version}"
                f"  {ids}  fixed: {fixed}  {match.reason}  [{match.inventory}: {match.component}]"
            )
            + "\n"
        )
    yield f"{count:,} matches\n" if count != 1 else "1 match\n"


def _printable(text: str) -> str:
    return "".join("?" if unicodedata.category(c).startswith("C") else c for c in text)


def as_csv(matches: Iterable[Match], now: datetime) -> Iterator[str]:
    """CSV with a header; a cell that a spreadsheet would run as a formula gets a `'` in front."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(LINE)
    for match in matches:
        line = match.line()
        cells = [line.get(column, "") for column in LINE]
        writer.writerow([_cell(" ".join(c) if isinstance(c, tuple) else c) for c in cells])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def _cell(value: str) -> str:
    return "'" + value if value.startswith(_FORMULA) else value


def sarif(matches: Iterable[Match], now: datetime) -> Iterator[str]:
    """SARIF 2.1.0: a rule an advisory, a result a match; unknown is a note for review."""
    rules: dict[str, dict[str, Any]] = {}
    results = []
    for match in matches:
        rules.setdefault(match.advisory, _rule(match))
        results.append(_result(match))
    driver = {"name": "vedette", "version": __version__, "rules": list(rules.values())}
    run = {"tool": {"driver": driver}, "results": results}
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    yield json.dumps(document, indent=2) + "\n"


def _rule(match: Match) -> dict[str, Any]:
    words = match.summary or ", ".join(match.aliases) or match.advisory
    return {"id": match.advisory, "shortDescription": {"text": words}}


def _result(match: Match) -> dict[str, Any]:
    fixed = f" Fixed in {', '.join(match.fixed)}." if match.fixed else ""
    what = f"{match.name or match.component} {match.version}".strip()
    message = f"{what}: {match.verdict} ({match.confidence}): {match.reason}.{fixed}"
    location = {
        "physicalLocation": {"artifactLocation": {"uri": match.inventory}},
        "logicalLocations": [{"name": match.component, "fullyQualifiedName": match.purl or what}],
    }
    key = "\n".join((match.inventory, match.component, match.advisory))
    return {
        "ruleId": match.advisory,
        "kind": "fail" if match.verdict == "affected" else "review",
        "level": "warning" if match.verdict == "affected" else "none",
        "message": {"text": message},
        "locations": [location],
        "partialFingerprints": {"match/v1": hashlib.sha256(key.encode()).hexdigest()},
        "properties": {"verdict": match.verdict, "confidence": match.confidence},
    }


def vex(matches: Iterable[Match], now: datetime) -> Iterator[str]:
    """OpenVEX 0.2.0: `affected`, and `under_investigation` for what is unknown."""
    statements = [_statement(match) for match in matches]
    content = json.dumps(statements, sort_keys=True).encode()
    document = {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": f"urn:vedette:vex:{hashlib.sha256(content).hexdigest()}",
        "author": "vedette match",
        "timestamp": format_time(now),
        "version": 1,
        "tooling": f"vedette {__version__}",
        "statements": statements,
    }
    yield json.dumps(document, indent=2) + "\n"


def _statement(match: Match) -> dict[str, Any]:
    product: dict[str, Any] = {"@id": match.purl or f"{match.inventory}#{match.component}"}
    if match.purl:
        product["identifiers"] = {"purl": match.purl}
    statement: dict[str, Any] = {
        "vulnerability": {"name": match.advisory, "aliases": list(match.aliases)},
        "products": [product],
        "status": "affected" if match.verdict == "affected" else "under_investigation",
        "status_notes": match.reason,
    }
    if match.verdict == "affected":
        fixed = " or ".join(match.fixed)
        action = f"Update to {fixed}." if fixed else "No fixed version is stated; see the advisory."
        statement["action_statement"] = action
    return statement


WRITERS: dict[str, Callable[[Iterable[Match], datetime], Iterator[str]]] = {
    "csv": as_csv,
    "jsonl": jsonl,
    "sarif": sarif,
    "table": table,
    "vex": vex,
}
