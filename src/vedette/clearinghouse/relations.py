"""How two findings relate: same, variant, sibling or unique, with a score and the reasons.

Rules, strongest evidence first:
- Execution: the same crash class and the same top three frames make two findings the same; the
  same class and top frame below other callers, the same frames with another class, or the same
  crash in a product of another name make a variant.
- Place: the same function of the same product with a weakness in common makes them the same; with
  weaknesses that have nothing in common, a variant.
- Text: wording, containment, title and product agreement weigh into one score. From HALF on the
  two say the same; whether they are the same is then for the cluster to decide.
- Crashes with other top frames outweigh the text: such findings are siblings at most.
- Text is data: whatever it asks for, it only counts as words.

The weights of the text score are rounded from logistic fits on public findings with known
duplicates; their last rounding saw all of those findings, so no figure on them is held out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from vedette.clearinghouse.crashes import TOP, Crash
from vedette.clearinghouse.findings import Finding

HALF = 0.5
WEIGHTS = (4.0, 2.0, 3.0, 1.0)
THRESHOLD = 3.9
# Below this share of rare words in common two product names mean two products.
PRODUCT_AT_ODDS = 0.34
# Weaknesses that finders use for one another.
FAMILIES: tuple[frozenset[str], ...] = (
    frozenset(
        f"CWE-{n}" for n in (119, 120, 121, 122, 124, 125, 126, 127, 129, 131, 787, 788, 805, 823)
    ),
    frozenset(f"CWE-{n}" for n in (415, 416, 672, 825)),
    frozenset(f"CWE-{n}" for n in (400, 674, 770, 771, 789, 835, 1325)),
    frozenset(f"CWE-{n}" for n in (20, 74, 77, 78, 79, 80, 88, 89, 94)),
    frozenset(f"CWE-{n}" for n in (22, 23, 36, 59, 73)),
    frozenset(f"CWE-{n}" for n in (284, 285, 287, 306, 639, 862, 863)),
)


class Kind(StrEnum):
    """The four answers."""

    SAME = "same"
    VARIANT = "variant"
    SIBLING = "sibling"
    UNIQUE = "unique"


class Basis(StrEnum):
    """What an answer rests on."""

    CONTENT = "content"
    EXECUTION = "execution"
    PLACE = "place"
    TEXT = "text"


@dataclass(frozen=True)
class Relation:
    """How one finding relates to another: score from 0 to 1, and why, in sentences."""

    relation: Kind
    score: float
    why: tuple[str, ...]
    basis: Basis = Basis.TEXT


SAME_CONTENT = Relation(Kind.SAME, 1.0, ("same content word for word",), Basis.CONTENT)


def text_score(agreements: Sequence[float]) -> float:
    """Return the text's score from its four agreements (see similarity.Corpus)."""
    weighed = sum(w * a for w, a in zip(WEIGHTS, agreements, strict=True))
    return 1 / (1 + math.exp(THRESHOLD - weighed))


def relate(
    a: Finding, b: Finding, agreements: Sequence[float], crashes: tuple[Crash, Crash]
) -> Relation:
    """Return how `a` and `b` relate, given their texts' four agreements and their crashes."""
    if content(a) == content(b):
        return SAME_CONTENT
    at_odds = bool(a.product and b.product) and agreements[3] < PRODUCT_AT_ODDS
    return (
        _by_execution(*crashes, at_odds)
        or _by_place(a, b, at_odds)
        or _by_text(*crashes, agreements)
    )


def content(finding: Finding) -> tuple[object, ...]:
    """Return what a finding says, leaving out its id, reporter, marking and references."""
    return (
        *(finding.title.strip(), finding.description.strip(), finding.product, finding.component),
        *(finding.version, finding.file, finding.function, finding.cwe, finding.stack),
    )


def _by_execution(a: Crash, b: Crash, at_odds: bool) -> Relation | None:
    if not a.frames or not b.frames:
        return None
    same_kind = a.kind == b.kind
    if a.frames == b.frames:
        count = "top three frames" if len(a.frames) == TOP else "frames"
        shown = " < ".join(frame[:80] for frame in a.frames)
        if not same_kind and a.kind and b.kind:
            why = f"same {count} ({shown}), but crash classes {a.kind} and {b.kind}"
            return Relation(Kind.VARIANT, 0.7, (why,), Basis.EXECUTION)
        known = f"same crash class ({a.kind})" if same_kind and a.kind else "no crash class at odds"
        if at_odds:
            why = f"{known} and {count} ({shown}), but in products of other names"
            return Relation(Kind.VARIANT, 0.7, (why,), Basis.EXECUTION)
        score = 0.97 if len(a.frames) == TOP and same_kind and a.kind else 0.85
        return Relation(Kind.SAME, score, (f"{known} and {count} ({shown})",), Basis.EXECUTION)
    if same_kind and a.kind and a.frames[0] == b.frames[0] and not at_odds:
        why = f"same crash class ({a.kind}) in {a.frames[0][:80]}, reached by other callers"
        return Relation(Kind.VARIANT, 0.6, (why,), Basis.EXECUTION)
    return None


def _by_place(a: Finding, b: Finding, at_odds: bool) -> Relation | None:
    if not a.function or a.function != b.function or at_odds:
        return None
    named = (a.product, a.component, a.file)
    if not any(x and x == y for x, y in zip(named, (b.product, b.component, b.file), strict=True)):
        return None
    where = f"same function {a.function[:80]} of {(a.component or a.product or a.file)[:80]}"
    if not a.cwe or not b.cwe:
        return Relation(Kind.SAME, 0.6, (where, "one names no weakness"), Basis.PLACE)
    if shared := sorted(set(a.cwe) & set(b.cwe)):
        return Relation(Kind.SAME, 0.9, (where, f"same weakness {shared[0]}"), Basis.PLACE)
    if akin(a.cwe, b.cwe):
        why = f"weaknesses {a.cwe[0]} and {b.cwe[0]} of one family"
        return Relation(Kind.SAME, 0.75, (where, why), Basis.PLACE)
    why = f"but weaknesses {a.cwe[0]} and {b.cwe[0]}"
    return Relation(Kind.VARIANT, 0.55, (where, why), Basis.PLACE)


def _by_text(a: Crash, b: Crash, agreements: Sequence[float]) -> Relation:
    score = text_score(agreements)
    cosine, held, title, product = agreements
    why = (
        f"wording agrees to {cosine:.2f}",
        f"{held:.0%} of the shorter text is in the longer, {title:.0%} of a title",
        f"product's name agrees to {product:.2f}",
    )
    if score < HALF:
        return Relation(Kind.UNIQUE, score, why)
    if a.frames and b.frames:
        return Relation(Kind.SIBLING, score, (*why, "but they crash in other places"))
    return Relation(Kind.SAME, score, why)


def akin(a: Sequence[str], b: Sequence[str]) -> bool:
    """Tell whether two lists of weaknesses share one, or one family."""
    if set(a) & set(b):
        return True
    return any(family & set(a) and family & set(b) for family in FAMILIES)
