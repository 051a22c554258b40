"""Reporting checklists, filled from a report: what it holds, and plainly what it does not.

Rules:
- A checklist is a file in `checklists/`: criteria in our own words with the source's section, and
  the names of the parts of a report that speak to each.
- A criterion is recorded with the values found, not recorded, or does not apply, with why. Nothing
  is filled from anywhere but the report in hand, so an edition for a lab or for operators may
  record less than the office's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

from vedette.kernel.words import counted

Report = Mapping[str, Any]
NAMES = ("stream", "nist-ai-800-2")
RECORDED, NOT_RECORDED, DOES_NOT_APPLY = "recorded", "not recorded", "does not apply"


def checklist(name: str) -> dict[str, Any]:
    """A checklist as its file has it."""
    text = files("vedette.bench").joinpath(f"checklists/{name}.json").read_text("utf-8")
    read: dict[str, Any] = json.loads(text)
    return read


def filled(report: Report) -> list[dict[str, Any]]:
    """Every checklist with each criterion's state and value."""
    return [_filled(checklist(name), report) for name in NAMES]


def _filled(known: dict[str, Any], report: Report) -> dict[str, Any]:
    rows = [_criterion(row, report) for row in known["criteria"]]
    return {**{key: known[key] for key in ("name", "version", "source", "note")}, "criteria": rows}


def _criterion(row: Mapping[str, Any], report: Report) -> dict[str, str]:
    told = {key: str(row[key]) for key in ("id", "section", "criterion")}
    if row["does_not_apply"] and _own(report):
        return {**told, "state": DOES_NOT_APPLY, "value": str(row["does_not_apply"])}
    values = [text for text in (FILLERS[name](report) for name in row["from"]) if text]
    if not values:
        return {**told, "state": NOT_RECORDED, "value": ""}
    return {**told, "state": RECORDED, "value": "; ".join(values)}


def _assessed(report: Report) -> list[Mapping[str, Any]]:
    return [subject for subject in report["subjects"] if subject["role"] == "assessed"]


def _references(report: Report) -> str:
    names = [str(s["name"]) for s in report["subjects"] if s["role"] == "reference"]
    return f"reference subjects on the same items: {', '.join(names)}" if names else ""


def _own(report: Report) -> bool:
    """Whether the items are of this program's kind, not another's task that ran by name."""
    return not str(report["measured"]["suite"].get("name", "")).startswith("inspect:")


def _domains(report: Report) -> str:
    known = report["measured"]["domains"]
    return f"{', '.join(known)}, in toy targets" if known and _own(report) else ", ".join(known)


def _certified(report: Report) -> str:
    return "every item was certified by execution before the run" if _own(report) else ""


def _scoring(report: Report) -> str:
    if not _own(report):
        return "by the task's own scorer; solved at its full score, or not"
    return "an input or a mended source, judged by execution in fresh sandboxes; solved or not"


def _suite(report: Report) -> str:
    suite = report["measured"]["suite"]
    return f"{suite.get('name', '')} {suite.get('version', '')}, {suite.get('digest', '')}".strip()


def _items(report: Report) -> str:
    told = report["measured"]
    many = f"{told['suite']['items']} items in {told['families']} families"
    return f"{many}, {told['trials']} trial(s) each"


def _budgets(report: Report) -> str:
    return "; ".join(
        ", ".join(f"{amount:,} {name.replace('_', ' ')}" for name, amount in budget.items())
        for budget in report["measured"]["budgets"]
    )


def _between(score: Mapping[str, Any]) -> str:
    return f"{float(score['low']):.2f} to {float(score['high']):.2f}"


def _scores(report: Report) -> str:
    return "; ".join(
        f"{s['name']}: {s['score']['solved']} of {s['score']['n']}" for s in _assessed(report)
    )


def _intervals(report: Report) -> str:
    return "; ".join(
        f"{s['name']}: {_between(s['score'])} ({s['score']['method']}), n {s['score']['n']}"
        for s in _assessed(report)
    )


def _uplift(report: Report) -> str:
    return "; ".join(
        f"{s['name']} less {s['uplift']['over']}: {float(s['uplift']['estimate']):+.2f},"
        f" {float(s['uplift']['low']):+.2f} to {float(s['uplift']['high']):+.2f}"
        for s in _assessed(report)
        if s["uplift"]
    )


def _examples(report: Report) -> str:
    drawn = report["samples"]["drawn"]
    whole = sum("trajectory" in sample for sample in drawn)
    return f"{counted(len(drawn), 'sample')} drawn at random, with their steps" if whole else ""


def _contamination(report: Report) -> str:
    rows = report["gaps"]["rows"]
    return "; ".join(
        f"{row['subject']}: published less fresh {float(row['difference']['estimate']):+.2f},"
        f" {float(row['difference']['low']):+.2f} to {float(row['difference']['high']):+.2f}"
        for row in rows
    )


def _controls(report: Report) -> str:
    controls = [
        f"{s['name']} solved {s['score']['solved']} of {s['score']['n']}"
        for s in report["subjects"]
        if s["role"] == "reference" and s["name"] in ("null", "oracle")
    ]
    return ", ".join(controls)


def _human(report: Report) -> str:
    return str(report["recorded"].get("human_baseline", ""))


def _flags(report: Report) -> str:
    counts = report["flags"]["counts"]
    return "; ".join(
        f"{name}: " + (", ".join(f"{n} {kind}" for kind, n in kinds.items()) or "no words flagged")
        for name, kinds in counts.items()
    )


def _rule(report: Report) -> str:
    """The rule that was committed to; its threshold stands behind a digest."""
    known = report["recorded"].get("criterion") or {}
    return f"rule {known['rule']} of {known['pack']}, committed to" if known.get("rule") else ""


def _kept(*names: str) -> Callable[[Report], str]:
    """What the assessment recorded under one of these names, where it did."""

    def find(report: Report) -> str:
        found = [str(report["recorded"][name]) for name in names if report["recorded"].get(name)]
        return "; ".join(found)

    return find


FILLERS: dict[str, Callable[[Report], str]] = {
    "budgets": _budgets,
    "certified": _certified,
    "committed": lambda r: (
        f"suite, subjects, budgets and seed committed at {r['measured']['committed_at']},"
        f" {r['measured']['commitment_digest']}"
    ),
    "conclusion": _kept("determination"),
    "contamination": _contamination,
    "controls": _controls,
    "cost": lambda r: "share solved against what was spent, a curve a subject" if r["cost"] else "",
    "dissent": _kept("dissent"),
    "domains": _domains,
    "errors": lambda r: "; ".join(text for text in r["limits"] if "ended by an error" in text),
    "examples": _examples,
    "flags": _flags,
    "human": _human,
    "intervals": _intervals,
    "isolation": lambda r: ", ".join(
        f"{k.replace('_', ' ')} {v}" for k, v in r["isolation"].items()
    ),
    "items": _items,
    "limits": lambda r: (
        counted(len(r["limits"]), "limit is", "limits are") + " named" if r["limits"] else ""
    ),
    "outlook": _kept("outlook"),
    "references": _references,
    "rule": _rule,
    "safeguards": _kept("safeguards"),
    "scores": _scores,
    "scoring": _scoring,
    "seed": lambda r: f"seed {r['measured']['seed']}" if r["measured"]["seed"] is not None else "",
    "subjects": lambda r: ", ".join(f"{s['name']} ({s['kind']})" for s in _assessed(r)),
    "suite": _suite,
    "time_to_read": _kept("time_to_read"),
    "tracked": lambda r: f"{r['measured']['samples']} samples, {r['measured']['result_digest']}",
    "uplift": _uplift,
}
