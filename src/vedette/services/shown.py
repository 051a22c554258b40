"""What our executions of a case's findings showed: as facts, and as sentences of our own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vedette.kernel.clock import format_time
from vedette.store.models import Case, Finding, Reproduction


def executions(case: Case) -> list[tuple[Finding, Reproduction]]:
    """Each finding of the case that we reproduced, with its newest reproduction.

    Originals come before their duplicates, older ones before newer ones.
    """
    rows = Reproduction.objects.filter(finding__case=case, reproduced=True)
    newest: dict[str, Reproduction] = {}
    for row in rows.select_related("finding").order_by("at", "pk"):
        newest[row.finding_id] = row
    found = [(row.finding, row) for row in newest.values()]
    return sorted(
        found, key=lambda pair: (bool(pair[0].duplicate_of_id), pair[0].received_at, pair[0].id)
    )


def sentences(case: Case) -> list[str]:
    """One sentence for each distinct thing that was executed."""
    return list(dict.fromkeys(sentence(*pair) for pair in executions(case)))


def sentence(finding: Finding, shown: Reproduction) -> str:
    """What one execution showed, in words made from its facts alone."""
    tested, fixed = versions(finding)
    evidence = shown.evidence
    access = f" ({evidence['access']})" if evidence["access"] else ""
    where = f" in {evidence['top_frame']}" if evidence["top_frame"] else ""
    return (
        f"On {format_time(shown.at)}, in fresh sandboxes, {tested} ended in"
        f" {evidence['crash_class']}{where}{access} in {evidence['crashed']} of"
        f" {evidence['runs']} runs; {fixed} took the same input without a memory error in"
        f" {evidence['runs']} of {evidence['runs']} runs."
    )


def versions(finding: Finding) -> tuple[str, str]:
    """What was executed and what its fixed counterpart was, each as words."""
    recipe: Mapping[str, Any] = finding.recipe
    if recipe.get("kind") == "pypi":
        return (
            f"{recipe['name']} {recipe['version']}",
            f"{recipe['name']} {recipe['fixed_version']}",
        )
    name = f"{recipe.get('suite')}/{recipe.get('item')}"
    return f"{finding.product} {finding.version} ({name})".replace("  ", " "), "its repaired build"


def affected_of(case: Case, fixed: str) -> Iterator[dict[str, Any]]:
    """The affected products as executed; `fixed` is the version of the verified fix, or ""."""
    seen: set[str] = set()
    for finding, _ in executions(case):
        recipe = finding.recipe
        if finding.target in seen or not (finding.version or recipe.get("kind") == "pypi"):
            continue
        seen.add(finding.target)
        if recipe.get("kind") == "pypi":
            name, end = recipe["name"], recipe["fixed_version"]
            yield {
                "vendor": case.vendor or name,
                "product": name,
                "ecosystem": "PyPI",
                "package": name,
                "purl": f"pkg:pypi/{name.lower().replace('_', '-')}",
                "ranges": [{"introduced": "0", "fixed": end}],
                "versions": [recipe["version"]],
            }
        else:
            yield {
                "vendor": case.vendor or finding.vendor or finding.product,
                "product": finding.product,
                "ranges": [{"introduced": "0", "fixed": fixed}] if fixed else [],
                "versions": [finding.version],
            }
