"""The landscape: assessed models over time, by domain, from the assessments that a reader may see.

Rules:
- It is made of shared assessments and of nothing else. It holds no list of models or labs beside
  them, so it cannot say who did not take part; where it is empty, it says only that.
- A score stands with its interval, date, suite and version. Versions of a suite are told apart:
  their scores lie on one line only where a model was assessed on both.
- Gaps are of the measuring, never of anybody's: a domain that one suite covers and another does
  not, versions that nothing links, and how long ago a domain was last assessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

WHOLE = "all domains"
LONG_AGO = 90
UNKNOWN = (KeyError, TypeError, ValueError, AttributeError)
NOTE = "Made of the shared assessments that you may read, and of nothing else."


@dataclass(frozen=True)
class Entry:
    """One model's score in one domain, from one assessment."""

    model: str
    lab: str
    domain: str
    suite: str
    version: str
    on: date
    n: int
    solved: int
    estimate: float
    low: float
    high: float
    assessment: str
    uplift: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "lab": self.lab,
            "suite": self.suite,
            "version": self.version,
            "on": self.on.isoformat(),
            "n": self.n,
            "solved": self.solved,
            "estimate": f"{self.estimate:.4f}",
            "low": f"{self.low:.4f}",
            "high": f"{self.high:.4f}",
            "uplift": self.uplift,
            "assessment": self.assessment,
        }


def entries(document: Mapping[str, Any], *, lab: str, assessment: str) -> list[Entry]:
    """The entries of one assessment's document; none where it has a form that is not known."""
    try:
        suite, day = document["suite"], date.fromisoformat(str(document["made_at"])[:10])
        found = [
            _entry(subject, domain, score, suite, day, lab, assessment)
            for subject in document["subjects"]
            if subject["role"] == "assessed"
            for domain, score in {WHOLE: subject["score"], **subject.get("domains", {})}.items()
        ]
    except UNKNOWN:
        return []
    return found


def _entry(
    subject: Mapping[str, Any],
    domain: str,
    score: Mapping[str, Any],
    suite: Mapping[str, Any],
    day: date,
    lab: str,
    assessment: str,
) -> Entry:
    bounds = (min(max(float(score[k]), 0.0), 1.0) for k in ("estimate", "low", "high"))
    estimate, low, high = bounds
    up = subject.get("uplift") if domain == WHOLE else None
    return Entry(
        model=str(subject["name"])[:200],
        lab=lab,
        domain=str(domain)[:60],
        suite=str(suite.get("name", ""))[:60],
        version=str(suite.get("version", ""))[:60],
        on=day,
        n=int(score["n"]),
        solved=int(score["solved"]),
        estimate=estimate,
        low=low,
        high=high,
        assessment=assessment,
        uplift=_uplift(up) if up else "",
    )


def _uplift(up: Mapping[str, Any]) -> str:
    share, low, high = (
        f"{float(up[key]):+.2f}".replace("-", "\N{MINUS SIGN}")
        for key in ("estimate", "low", "high")
    )
    return f"{share} over {up['over']} ({low} to {high})"


def landscape(rows: Sequence[Entry], *, today: date) -> dict[str, Any]:
    """By domain the assessed models over time, and the gaps of the measuring."""
    domains = sorted({row.domain for row in rows}, key=lambda name: (name != WHOLE, name))
    return {
        "note": NOTE,
        "assessments": len({row.assessment for row in rows}),
        "domains": [
            {
                "domain": domain,
                "entries": [
                    row.to_json()
                    for row in sorted(rows, key=lambda r: (r.on, r.suite, r.version, r.model))
                    if row.domain == domain
                ],
            }
            for domain in domains
        ],
        "gaps": _gaps(rows, domains, today),
    }


def _gaps(rows: Sequence[Entry], domains: Sequence[str], today: date) -> list[str]:
    found = []
    suites = sorted({(row.suite, row.version) for row in rows})
    for domain in domains:
        of = [row for row in rows if row.domain == domain]
        covers = {(row.suite, row.version) for row in of}
        found += [
            f"{domain}: the suite {suite} {version} has no items of it."
            for suite, version in suites
            if domain != WHOLE and (suite, version) not in covers
        ]
        last = max(row.on for row in of)
        if (today - last).days > LONG_AGO:
            found.append(f"{domain}: last assessed on {last}, {(today - last).days} days ago.")
    return [*found, *_unlinked(rows)]


def _unlinked(rows: Sequence[Entry]) -> list[str]:
    """Versions of one suite that no model was assessed on both of."""
    models: dict[str, dict[str, set[tuple[str, str]]]] = {}
    for row in rows:
        models.setdefault(row.suite, {}).setdefault(row.version, set()).add((row.lab, row.model))
    found = []
    for suite, versions in sorted(models.items()):
        names = sorted(versions)
        found += [
            f"{suite} {one} and {other}: no model was assessed on both, so nothing links their"
            " scores."
            for place, one in enumerate(names)
            for other in names[place + 1 :]
            if not versions[one] & versions[other]
        ]
    return found
