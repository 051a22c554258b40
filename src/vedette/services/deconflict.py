"""Which known finding a new one is the same as: our own executions first, then the words.

Rules:
- Two findings that we reproduced are compared by what our executions showed, never by their words:
  the same crash in the same target is the same bug, whatever either finder calls it.
- A finding that we could not execute is compared by the frames, place and words it gives.
- A reproduced finding is never the duplicate of one that was not.
- What the coordinator told apart stays apart.
- The first that stands is the original; the number compared is bounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Q, QuerySet

from vedette.clearinghouse import findings as pure
from vedette.clearinghouse.states import FindingState
from vedette.store.models import Finding

ORIGINALS = (FindingState.RECEIVED, FindingState.REPRODUCED, FindingState.IN_CASE)
EXECUTED = (FindingState.REPRODUCED, FindingState.IN_CASE)
MOST_COMPARED = 200
MOST_VARIANTS = 25


def target_of(recipe: Mapping[str, Any], product: str) -> str:
    """What a recipe runs on, in one spelling; without a recipe the product's own name."""
    if recipe.get("kind") == "pypi":
        return f"pypi/{str(recipe['name']).lower().replace('_', '-')}"[:700]
    if recipe.get("kind") == "disclosed-item":
        return f"disclosed-item/{recipe['build']}"[:700]
    if recipe.get("kind") == "suite-item":
        return f"suite-item/{recipe['suite']}/{recipe['item']}"[:700]
    return product.strip().lower()[:700]


def crash_line(evidence: Mapping[str, Any]) -> str:
    """Our evidence as one comparable line, "" where it shows no frames."""
    from vedette.clearinghouse.crashes import crash_of

    crash = crash_of(_shown("evidence", "", evidence))
    return f"{crash.kind}: {' < '.join(crash.frames)}"[:700] if crash.frames else ""


def same_as(row: Finding) -> tuple[Finding | None, list[str]]:
    """The known finding that `row` is a duplicate of (None), and why; or what it is akin to."""
    if row.state == FindingState.REPRODUCED:
        return _by_execution(row)
    return _by_words(row)


def _by_execution(row: Finding) -> tuple[Finding | None, list[str]]:
    from vedette.clearinghouse.duplicates import compare
    from vedette.clearinghouse.relations import Kind

    if not row.crash:
        return None, []
    known = _others(row).filter(target=row.target, state__in=EXECUTED).exclude(crash="")
    nearest = [*known.filter(crash=row.crash)[:1], *known[:MOST_VARIANTS]]
    mine, akin = _executed(row), list[str]()
    for other in nearest:
        found = compare(mine, _executed(other))
        if found.relation == Kind.SAME:
            return other, ["both executed here", *found.why]
        if found.relation == Kind.VARIANT and len(akin) < 3:
            akin.append(f"variant of {other.id}: {'; '.join(found.why)}")
    return None, akin


def _by_words(row: Finding) -> tuple[Finding | None, list[str]]:
    from vedette.clearinghouse.duplicates import cluster

    near = Q(target=row.target) | Q(product__iexact=row.product) if row.product else Q(pk=None)
    known = list(_others(row).filter(near, state__in=ORIGINALS)[:MOST_COMPARED])
    if not known:
        return None, []
    rows = {line["id"]: line for line in cluster([worded(row), *map(worded, known)])}
    mine = rows[row.id]
    for other in known:
        if rows[other.id]["cluster"] == mine["cluster"]:
            return other, [f"same as {other.id} by its report", *mine["why"]]
    return None, [f"akin to {mine['of']}: {'; '.join(mine['why'])}"] if mine.get("of") else []


def _others(row: Finding) -> QuerySet[Finding]:
    rows: QuerySet[Finding] = (
        Finding.objects.exclude(id__in=[row.id, *row.apart_from])
        .filter(duplicate_of=None)
        .order_by("received_at", "id")
        .select_related("case")
    )
    return rows


def _executed(row: Finding) -> pure.Finding:
    shown = row.reproductions.filter(reproduced=True).order_by("-at", "-pk").first()
    return _shown(row.id, row.target, shown.evidence if shown else {})


def _shown(name: str, target: str, evidence: Mapping[str, Any]) -> pure.Finding:
    """What an execution showed, without a word of the reporter's."""
    return pure.Finding(
        id=name,
        description=name,  # two executions are two records, never the same content
        title=str(evidence.get("crash_class", "")) or "crash",
        product=target,
        stack=tuple(str(frame) for frame in evidence.get("frames", ())),
    )


def worded(row: Finding) -> pure.Finding:
    """A finding in its reporter's words; the crash is ours where we executed it."""
    kind, _, frames = row.crash.partition(": ")
    return pure.Finding(
        id=row.id,
        title=f"{kind}: {row.title}" if kind else row.title,
        description=row.description,
        product=row.product,
        component=row.component,
        version=row.version,
        file=row.file,
        function=row.function,
        cwe=tuple(row.cwe),
        stack=tuple(frames.split(" < ")) if frames else tuple(row.stack),
        reporter=row.org_id,
    )
