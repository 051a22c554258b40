"""What a determination rests on: review, build, the one before it; and whether that still stands.

Rules:
- A determination on a review names the offices that gave a view, with what they hold; of a view
  marked above the record, only that there is one.
- A re-test is a determination of its own that names the earlier one; the earlier one stays. Where
  both rest on runs of the same suite, items that both ran are compared in pairs.
- A record says that it was made on an earlier state once its assessment, the review, the pack or
  the lab's build is another one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from vedette.bench.determination import Basis, Consultation
from vedette.kernel import markings
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.errors import BadInput, NotFound, VedetteError
from vedette.kernel.markings import Marking
from vedette.kernel.permissions import Permission
from vedette.services import runs
from vedette.services.acting import Actor, Doing, reading
from vedette.services.dossier_states import states_of
from vedette.services.here import here
from vedette.services.review_comments import names_of
from vedette.services.review_parties import seen_review, standing_digest
from vedette.store.models import (
    Act,
    Assessment,
    Build,
    Determination,
    DeterminationBasis,
    Review,
    ReviewView,
)

HIGHER = "consulted; what it holds is marked above this record"


@dataclass(frozen=True)
class Found:
    """What was found: the basis as the record keeps it, and the rows behind it."""

    basis: Basis
    act: Act | None
    model: str
    marking: str
    consulted: tuple[Consultation, ...] = ()
    review: Review | None = None
    earlier: Determination | None = None
    comparison: dict[str, Any] = field(default_factory=dict)


def find(actor: Actor, row: Assessment | None, review_id: str, build: str, earlier: str) -> Found:
    """What a determination rests on. Raises BadInput where neither a run nor a review is named."""
    review = seen_review(actor, review_id) if review_id else None
    if row is None and review is None:
        raise BadInput("review: without a run a determination rests on a review")
    before = _earlier(earlier) if earlier else None
    act = review.act if review else row.act if row else None
    session = row.run.session if row and row.run else None
    built = build.strip()[:200] or (session.build if session else "")
    marks = [row.marking if row else "TLP:AMBER+STRICT", act.marking if act else "TLP:AMBER+STRICT"]
    model = act.model if act else ""
    basis = Basis(
        build=built,
        review=review_digest(review) if review else "",
        earlier=before.id if before else "",
        changed=tuple(_changed(before, row, built, review)) if before else (),
    )
    marking = markings.join(Marking.parse(text) for text in marks)
    return Found(
        basis,
        act,
        model,
        str(marking),
        tuple(_consulted(review, marking)) if review else (),
        review,
        before,
        _compared(before, row) if before else {},
    )


def _earlier(determination_id: str) -> Determination:
    rows = Determination.objects.select_related("assessment", "assessment__run", "act")
    found: Determination | None = rows.filter(id=determination_id).first()
    if found is None:
        raise NotFound(f"determination {determination_id[:40]!r} is not here")
    return found


def _standing(review: Review) -> list[tuple[str, ReviewView]]:
    """The latest view of each office by its name, whoever reads."""
    names = names_of(review)
    latest = {v.org_id: v for v in ReviewView.objects.filter(review=review).order_by("number")}
    return sorted((names.get(org, org), view) for org, view in latest.items())


def _consulted(review: Review, record: Marking) -> Iterator[Consultation]:
    """The offices with what they hold, as far as the record's own marking reaches."""
    for name, view in _standing(review):
        if record.dominates(Marking.parse(view.marking)):
            yield Consultation(name, view.stand, view.at.date(), view.reasons)
        else:
            yield Consultation(name, HIGHER, view.at.date())


def review_digest(review: Review) -> str:
    """The digest of where a review stands: the text, what each office holds of it, the dossier."""
    last = states_of(review.act)[-1]
    return digest(
        canonical(
            {
                "proposal": standing_digest(review),
                "views": [[name, v.stand, v.made_on] for name, v in _standing(review)],
                "dossier": {"values": dict(last.values), "withheld": dict(last.withheld)},
            }
        )
    )


def _changed(
    before: Determination, row: Assessment | None, build: str, review: Review | None
) -> Iterator[str]:
    """What is another than the earlier determination had, in words without a figure."""
    basis = DeterminationBasis.objects.filter(determination=before).first()
    if (row.digest if row else "") != (before.assessment.digest if before.assessment else ""):
        yield "another assessment" if row else "no assessment"
    if build != (basis.build if basis else ""):
        yield f"another build: {build or 'not stated'}"
    if before.document.get("pack") != here().pack.digest:
        yield "another policy pack"
    if (review_digest(review) if review else "") != (basis.review_digest if basis else ""):
        yield "another state of the review"


def _compared(before: Determination, row: Assessment | None) -> dict[str, Any]:
    """The paired comparison of the two runs' items, or why there is none."""
    first = before.assessment.run if before.assessment else None
    second = row.run if row else None
    if first is None or second is None:
        return {"why": "one of the two rests on no run"}
    if first.suite_digest != second.suite_digest:
        return {"why": "the two runs are of different suites"}
    try:
        from vedette.bench.compare import compare
        from vedette.bench.responses import Score
    except ImportError:
        return {"why": "the statistics extra is not installed here"}
    try:
        samples = [("before", runs.result_of(first)), ("now", runs.result_of(second))]
        of = {"before": before.document.get("subject"), "now": None}
        assessed = [s["name"] for s in row.document["subjects"]] if row else []
        of["now"] = of["before"] if of["before"] in assessed else (assessed or [None])[0]
        own = [(name, s) for name, run in samples for s in run.samples if s.subject == of[name]]
        scores = [Score(name, s.item, str(s.trial), float(s.score)) for name, s in own]
        made = compare(scores, "now", "before", {s.item: s.family for _, s in own})
    except VedetteError as error:
        return {"why": error.what}
    return {
        "items": made.items,
        "before": f"{made.mean_b:.4f}",
        "now": f"{made.mean_a:.4f}",
        "difference": f"{made.difference:.4f}",
        "interval": [f"{bound:.4f}" for bound in made.interval] if made.interval else [],
    }


def keep(doing: Doing, made: Determination, found: Found) -> None:
    """Keep what a determination was made on, beside it."""
    DeterminationBasis(
        org_id=made.org_id,
        determination=made,
        review=found.review,
        earlier=found.earlier,
        model=found.model,
        build=found.basis.build,
        review_digest=found.basis.review,
        pack_digest=doing.here.pack.digest,
        comparison=found.comparison,
    ).save(force_insert=True)


def basis_view(actor: Actor, determination_id: str) -> dict[str, Any]:
    """What a determination rests on, what it re-tests and what re-tested it, what changed since."""
    with reading(actor, Permission.ASSESSMENT_READ) as instance:
        rows = Determination.objects.select_related("assessment", "act")
        made = rows.filter(id=determination_id).first()
        if made is None:
            raise NotFound(f"determination {determination_id[:40]!r} is not here")
        basis = DeterminationBasis.objects.select_related("review").filter(determination=made)
        kept: DeterminationBasis | None = basis.first()
        later = DeterminationBasis.objects.filter(earlier=made).order_by("determination__made_at")
        return {
            "build": kept.build if kept else "",
            "review": kept.review_id if kept else None,
            "earlier": kept.earlier_id if kept else None,
            "retests": list(later.values_list("determination_id", flat=True)),
            "comparison": dict(kept.comparison) if kept else {},
            "earlier_state": list(_since(made, kept, instance.pack.digest)) if kept else [],
        }


def _since(made: Determination, kept: DeterminationBasis, pack: str) -> Iterator[str]:
    """What has changed since a determination was recorded."""
    row = made.assessment
    if row is not None and row.digest != made.document.get("made_on"):
        yield "Its assessment has changed."
    newer = Assessment.objects.filter(act__model=kept.model, made_at__gt=made.made_at)
    if kept.model and newer.exclude(run=None).exists():
        yield "A newer assessment of this model is here."
    if kept.pack_digest != pack:
        yield "Another policy pack is in force."
    if kept.review is not None and review_digest(kept.review) != kept.review_digest:
        yield "The review that it rests on has gone on."
    build = Build.objects.filter(model=kept.model).order_by("-stated_at", "id").first()
    if kept.model and build is not None and build.stated_at > made.made_at:
        yield f"The lab states another build since: {build.name or build.id}."
