"""The report of one run, for one of three readers, as data: one documented form, many renderings.

Rules:
- The office's edition is whole. The lab's leaves out what tells an item of a suite that is not
  public: ids, trajectories, evidence, and what programs said when they failed. The operators' says
  no more than scores by domain, uplift, horizon, isolation, custody and limits.
- The lab's and the operators' editions are made from `Assessment.releasable`, so that what may
  leave the office is decided in one place.
- Beside every result of an assessed subject stands its uplift over the best conventional tool.
- A checklist's criterion is filled from what the report itself holds, or plainly not recorded.
- Numbers are integers or decimal text, as in the assessment; `schema()` describes the whole.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from enum import StrEnum
from importlib.resources import files
from typing import Any

from vedette.bench import report_parts as parts
from vedette.bench.assessment import Assessment
from vedette.bench.checklist import filled
from vedette.bench.results import RunResult, Sample
from vedette.kernel.markings import CLEAR, Marking

FORMAT = "vedette-assessment-report/1"
SUITE = ("name", "version", "digest", "solved_at")
KNOWN = {
    *("format", "run", "suite", "subjects", "isolation", "seed", "trials", "items", "limits"),
    *(
        "notes",
        "flags",
        "marking",
        "commitment_digest",
        "result_digest",
        "assessment_digest",
        "made_at",
    ),
}


class Audience(StrEnum):
    """Whom a report is for."""

    OFFICE = "office"
    LAB = "lab"
    OPERATORS = "operators"


def schema() -> dict[str, Any]:
    """The JSON Schema of a report."""
    text = files("vedette.bench").joinpath("report.schema.json").read_text("utf-8")
    read: dict[str, Any] = json.loads(text)
    return read


def build(
    made: Assessment,
    run: RunResult,
    *,
    audience: Audience,
    facts: parts.Facts | None = None,
    beside: tuple[RunResult, parts.Facts] | None = None,
    sealed: bool = False,
) -> dict[str, Any]:
    """Build the report.

    Args:
        made: the assessment of `run`.
        facts: what the suite says of its items; without it no horizon and no gap can be told.
        beside: another run of the same subjects, with its facts, for the gap between published and
            fresh items.
        sealed: whether the run's items are, whatever their marking: none is told outside then.
    """
    whole = audience is Audience.OFFICE
    document = made.to_json() if whole else made.releasable()
    facts = facts or {}
    open_items = whole or (audience is Audience.LAB and not sealed and _is_public(run))
    report: dict[str, Any] = {
        "format": FORMAT,
        "audience": audience.value,
        "marking": document["marking"],
        "made_at": document["made_at"],
        "measured": _measured(made, run, facts, whole=whole),
        "isolation": dict(document["isolation"]),
        "recorded": {key: document[key] for key in sorted(set(document) - KNOWN)},
        "flags": {"counts": {}, "flags": [], **document.get("flags", {})},
        "subjects": [_subject(s, audience) for s in _in_order(document["subjects"])],
        "ladder": parts.ladder(run),
        "horizons": parts.horizons(run, facts),
        "cost": [] if audience is Audience.OPERATORS else parts.cost(run),
        "gaps": parts.gaps(run, facts, beside),
        "items": _items(run) if open_items else [],
        "samples": _samples(run, open_items=open_items, audience=audience),
        "limits": [*document["limits"], *document.get("notes", [])],
    }
    return {**report, "checklists": filled(report)}


def _is_public(run: RunResult) -> bool:
    return Marking.parse(str(run.commitment.suite.get("marking", "TLP:RED"))) == CLEAR


def _in_order(subjects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(subjects, key=lambda s: (s["role"] != "assessed", str(s["name"])))


def _measured(
    made: Assessment, run: RunResult, facts: parts.Facts, *, whole: bool
) -> dict[str, Any]:
    plan, suite = run.commitment, made.suite
    told = {key: str(suite[key]) for key in SUITE if key in suite}
    budgets = {tuple(sorted(budget.items())) for budget in plan.budgets.values()}
    return {
        "run": made.run,
        "suite": {**told, "items": made.items},
        "domains": sorted({fact.domain for fact in facts.values()}),
        "families": len({sample.family for sample in run.samples}),
        "trials": made.trials,
        "samples": len(run.samples),
        "seed": made.seed if whole else None,
        "budgets": [dict(budget) for budget in sorted(budgets)],
        "calls": _statuses(run),
        "committed_at": plan.committed_at,
        "finished_at": run.finished_at,
        "commitment_digest": made.commitment_digest,
        "result_digest": made.result_digest,
        "assessment_digest": made.digest,
    }


def _statuses(run: RunResult) -> list[dict[str, int]]:
    counts: dict[int, int] = {}
    for call in run.calls:
        counts[call.status] = counts.get(call.status, 0) + 1
    return [{"status": status, "calls": count} for status, count in sorted(counts.items())]


def _subject(subject: dict[str, Any], audience: Audience) -> dict[str, Any]:
    left_out = ("families", "used", "seconds") if audience is Audience.OPERATORS else ()
    return {key: value for key, value in subject.items() if key not in left_out}


def _items(run: RunResult) -> list[dict[str, Any]]:
    """Item by subject: how often it was solved, and where."""
    names = [str(entry["name"]) for entry in run.commitment.subjects]
    found: dict[tuple[str, str], list[Sample]] = defaultdict(list)
    for sample in run.samples:
        found[sample.item, sample.subject].append(sample)
    rows = []
    for family, item in sorted({(s.family, s.item) for s in run.samples}):
        outcomes = {}
        for name in names:
            of = found[item, name]
            solved = [s for s in of if s.score]
            where = _where(solved[0].evidence) if solved else ""
            outcomes[name] = {"n": len(of), "solved": len(solved), "where": where}
            own = [s.partial for s in of if s.partial is not None]
            if own:
                outcomes[name]["partial"] = f"{sum(own) / len(own):.4f}"
        rows.append({"item": item, "family": family, "outcomes": outcomes})
    return rows


def _where(evidence: Mapping[str, Any]) -> str:
    if "top_frame" in evidence:
        return f"{evidence.get('crash_class', '')} in {evidence['top_frame']}"
    return str(evidence.get("reason", ""))


def _samples(run: RunResult, *, open_items: bool, audience: Audience) -> dict[str, Any]:
    drawn, total = parts.drawn(run)
    return {
        "each": parts.DRAWN,
        "of": total,
        "drawn_by": run.commitment.digest,
        "drawn": [_sample(s, open_items=open_items, audience=audience) for s in drawn],
    }


def _sample(sample: Sample, *, open_items: bool, audience: Audience) -> dict[str, Any]:
    told: dict[str, Any] = {"subject": sample.subject, "trial": sample.trial, "score": sample.score}
    if sample.partial is not None:
        told["partial"] = f"{sample.partial:.4f}"
    if audience is not Audience.OPERATORS:
        told |= {
            "family": sample.family,
            "calls": sample.calls,
            "tokens": sample.input_tokens + sample.output_tokens,
            "executions": sample.executions,
            "seconds": f"{sample.seconds:.1f}",
        }
    if open_items:
        reason = str(sample.evidence.get("reason", ""))
        told |= {
            "item": sample.item,
            "ended": sample.ended,
            "trajectory": [*sample.trajectory, *([reason] if reason else [])],
        }
    return told
