"""Matches as JSON Lines, table, CSV, SARIF 2.1.0 and OpenVEX; each writer streams where it can.

A writer takes the matches, what stands beside them (complete once the matches are read), and the
time. JSON Lines and CSV show matches alone, the others also what VEX took away, and why. Table and
CSV say what is known to be exploited.
"""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any
from urllib.parse import quote

import msgspec

from vedette import __version__
from vedette.kernel.clock import format_time
from vedette.kernel.words import counted, versioned
from vedette.matching.holdings import Finding, Hit
from vedette.matching.identity import Claim
from vedette.matching.joining import finding_of, plain_reason
from vedette.matching.model import LINE, Component, Exploited, Match
from vedette.matching.rows import Texts, plain
from vedette.matching.vex import Suppressed

_JUSTIFICATIONS = (
    *("component_not_present", "vulnerable_code_not_present"),
    *("vulnerable_code_not_in_execute_path", "inline_mitigations_already_exist"),
    "vulnerable_code_cannot_be_controlled_by_adversary",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Beside:
    """What VEX statements took away from the matches, and what is known to be exploited."""

    suppressed: Sequence[Suppressed] = ()
    exploited: Exploited = field(default_factory=Exploited)


class _Line(msgspec.Struct, gc=False):
    """The fields of `Match.line` in their order."""

    inventory: str
    component: str
    purl: str | msgspec.UnsetType
    version: str
    advisory: str
    aliases: Texts | msgspec.Raw
    range: str
    fixed: Texts | msgspec.Raw
    verdict: str
    confidence: str
    reason: str


_SEVERAL = 1_000
_encode_lines = msgspec.json.Encoder().encode_lines


def jsonl(matches: Iterable[Match], beside: Beside, now: datetime) -> Iterator[str]:
    """One JSON object a line, the fields of `Match.line` in their order, in ASCII."""
    lines = (_line(m.inventory, m.component, m.purl, m.version, m) for m in matches)
    while several := list(islice(lines, _SEVERAL)):
        yield _written(several).decode("ascii")


def jsonl_found(found: Iterable[tuple[str, Component, Claim, Sequence[Hit]]]) -> tuple[bytes, int]:
    """The same lines of what `engine.found` gives, and their number."""
    lines = (line for one in found for line in _of_component(*one))
    count, text = 0, []
    while several := list(islice(lines, _SEVERAL)):
        count += len(several)
        text.append(_written(several))
    return b"".join(text), count


def _of_component(
    inventory: str, component: Component, claim: Claim, hits: Sequence[Hit]
) -> Iterator[_Line]:
    """Yield the lines of one component; most are told without a finding in between."""
    name, purl = component.id, component.purl or msgspec.UNSET
    version = component.version or claim.version
    sure = claim.confidence == "exact" and not claim.via
    for hit in hits:
        if sure and hit[2] is not None and not hit[1].release:
            _, row, interval = hit
            yield _Line(
                inventory,
                name,
                purl,
                version,
                row.advisory,
                row.aliases,
                row.text,
                row.fixed_in(interval),
                "affected",
                "exact",
                plain_reason(claim, row),
            )
        else:
            finding = finding_of(hit, claim)
            told = component.version or finding.version
            yield _line(inventory, component.id, component.purl, told, finding)


def _line(inventory: str, component: str, purl: str, version: str, said: Match | Finding) -> _Line:
    return _Line(
        *(inventory, component, purl or msgspec.UNSET, version, said.advisory, said.aliases),
        *(said.range, said.fixed, said.verdict, said.confidence, said.reason),
    )


def _written(lines: Sequence[_Line]) -> bytes:
    with suppress(UnicodeEncodeError):  # file names may hold half a character
        written = _encode_lines(lines)
        if written.isascii():
            return written
    told = (json.dumps(_built(line), separators=(",", ":")) for line in lines)
    return "".join(f"{line}\n" for line in told).encode("ascii")


def _built(line: _Line) -> Any:
    read = {"aliases": plain(line.aliases, Texts), "fixed": plain(line.fixed, Texts)}
    return msgspec.to_builtins(msgspec.structs.replace(line, **read))


def table(matches: Iterable[Match], beside: Beside, now: datetime) -> Iterator[str]:
    """A line a match for people; control characters are shown as `?`."""
    count = 0
    for match in matches:
        count += 1
        fixed = ", ".join(match.fixed) or "none stated"
        head = f"{match.verdict:<8}  {match.confidence:<8}"
        yield _row(head, match, f"{_urgency(match, beside)}fixed: {fixed}  {match.reason}")
    for one in beside.suppressed:
        yield _row(f"{'taken away by VEX':<18}", one.match, one.statement.reason)
    taken = f", {len(beside.suppressed):,} taken away by VEX" if beside.suppressed else ""
    yield counted(count, "match", "matches") + taken + "\n"


def _urgency(match: Match, beside: Beside) -> str:
    score = beside.exploited.score(match)
    known = "KEV  " if beside.exploited.known(match) else ""
    return known + ("" if score is None else f"EPSS {score:.2f}  ")


def _row(head: str, match: Match, tail: str) -> str:
    name, version = match.name or match.component, match.version or "(no version)"
    what = versioned(name, version)
    ids = " ".join((match.advisory, *match.aliases))
    place = f"[{match.inventory}: {match.component}]"
    return printable(f"{head}  {what}  {ids}  {tail}  {place}") + "\n"


def printable(text: str) -> str:
    """The text with `?` for characters that control a terminal."""
    return "".join("?" if unicodedata.category(c).startswith("C") else c for c in text)


def as_csv(matches: Iterable[Match], beside: Beside, now: datetime) -> Iterator[str]:
    """CSV with a header; a cell that a spreadsheet would run as a formula gets a `'` in front."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow((*LINE, "kev", "epss"))
    for match in matches:
        line = match.line()
        score = beside.exploited.score(match)
        kev = "yes" if beside.exploited.known(match) else "no" if beside.exploited.kev else ""
        cells = [*(line.get(c, "") for c in LINE), kev, "" if score is None else f"{score:g}"]
        writer.writerow([csv_cell(" ".join(c) if isinstance(c, tuple) else c) for c in cells])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def csv_cell(value: str) -> str:
    """A cell that no spreadsheet runs as a formula."""
    return "'" + value if value.startswith(_FORMULA) else value


def sarif(matches: Iterable[Match], beside: Beside, now: datetime) -> Iterator[str]:
    """SARIF 2.1.0: a rule an advisory, a result a match; unknown is a note for review."""
    rules: dict[str, dict[str, Any]] = {}
    results = []
    for match in matches:
        rules.setdefault(match.advisory, _rule(match))
        results.append(_result(match))
    for one in beside.suppressed:
        rules.setdefault(one.match.advisory, _rule(one.match))
        why = {"kind": "external", "status": "accepted", "justification": one.statement.reason}
        results.append(_result(one.match) | {"suppressions": [why]})
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
    what = versioned(match.name or match.component, match.version)
    message = f"{what}: {match.verdict} ({match.confidence}): {match.reason}.{fixed}"
    location = {
        "physicalLocation": {"artifactLocation": {"uri": _uri(match.inventory)}},
        "logicalLocations": [{"name": match.component, "fullyQualifiedName": match.purl or what}],
    }
    key = "\n".join((match.inventory, match.component, match.advisory))
    return {
        "ruleId": match.advisory,
        "kind": "fail" if match.verdict == "affected" else "review",
        "level": "warning" if match.verdict == "affected" else "none",
        "message": {"text": message},
        "locations": [location],
        "partialFingerprints": {"match/v1": _sha256(key.encode(errors="surrogatepass"))},
        "properties": {"verdict": match.verdict, "confidence": match.confidence},
    }


def _uri(text: str) -> str:
    return quote(text, errors="surrogatepass")


def _sha256(data: bytes) -> str:
    from hashlib import sha256  # slow to import

    return sha256(data).hexdigest()


def vex(matches: Iterable[Match], beside: Beside, now: datetime) -> Iterator[str]:
    """OpenVEX 0.2.0: `affected`, `under_investigation` for what is unknown, what VEX settled."""
    every = [_statement(match) for match in matches]
    every += [_settled(one) for one in beside.suppressed]
    # one package in several inventories makes one statement
    statements = list({json.dumps(one, sort_keys=True): one for one in every}.values())
    content = json.dumps(statements, sort_keys=True).encode()
    document = {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": f"urn:vedette:vex:{_sha256(content)}",
        "author": "vedette match",
        "timestamp": format_time(now),
        "version": 1,
        "tooling": f"vedette {__version__}",
        "statements": statements,
    }
    yield json.dumps(document, indent=2) + "\n"


def _statement(match: Match) -> dict[str, Any]:
    affected = match.verdict == "affected"
    statement = _about(match, "affected" if affected else "under_investigation")
    statement["status_notes"] = match.reason
    if affected:
        fixed = " or ".join(match.fixed)
        action = f"Update to {fixed}." if fixed else "No fixed version is stated; see the advisory."
        statement["action_statement"] = action
    return statement


def _settled(one: Suppressed) -> dict[str, Any]:
    said = one.statement
    statement = _about(one.match, said.status) | {"status_notes": f"stated by {said.source}"}
    if said.status == "not_affected":  # the schema has one of both
        if said.justification in _JUSTIFICATIONS:
            statement["justification"] = said.justification
            statement["status_notes"] = said.reason
        else:
            statement["impact_statement"] = said.words or said.reason
    return statement


def _about(match: Match, status: str) -> dict[str, Any]:
    place = f"urn:vedette:{_uri(match.inventory)}#{_uri(match.component)}"
    product: dict[str, Any] = {"@id": match.purl or place}
    if match.purl:
        product["identifiers"] = {"purl": match.purl}
    return {
        "vulnerability": {"name": match.advisory, "aliases": list(match.aliases)},
        "products": [product],
        "status": status,
    }


Writer = Callable[[Iterable[Match], Beside, datetime], Iterator[str]]
WRITERS: dict[str, Writer] = {
    "csv": as_csv,
    "jsonl": jsonl,
    "sarif": sarif,
    "table": table,
    "vex": vex,
}
