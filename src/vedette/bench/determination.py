"""Determination: whether a model meets a threshold, on the record. It has no effect on a release.

Rules:
- The rule that was applied is named by its id in a policy pack, with the pack's digest.
- There are three outcomes: meets, does not meet, insufficient evidence. The interval suggests one:
  wholly at or above the threshold, wholly below it, or across it. The maker may record another;
  the record then shows both.
- The record names its maker, why, and every office consulted with its view and date.
- The threshold may be secret and is guessable: outside, a digest behind a 256-bit nonce stands for
  it, and `releasable` carries neither threshold, margin nor uncertainty.
- The record keeps the digest of the assessment it was made on; when that has changed since,
  `earlier_state` says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from vedette.bench.assessment import Assessment
from vedette.kernel.canonical import canonical, digest, salted_digest
from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput

FORMAT = "vedette-determination/1"


class Outcome(StrEnum):
    MEETS = "meets"
    DOES_NOT_MEET = "does not meet"
    INSUFFICIENT_EVIDENCE = "insufficient evidence"


@dataclass(frozen=True)
class Rule:
    """A rule of a policy pack: its id, and the pack's digest."""

    id: str
    pack: str


@dataclass(frozen=True)
class Consultation:
    """One office consulted: who, what it holds, when."""

    office: str
    view: str
    on: date

    def to_json(self) -> dict[str, Any]:
        return {"office": self.office, "view": self.view, "on": self.on.isoformat()}


@dataclass(frozen=True)
class Threshold:
    """A share between 0 and 1, with the nonce (256 bits, hex) that hides it in its digest."""

    value: Decimal
    nonce: str

    @classmethod
    def parse(cls, text: str, nonce: str) -> Threshold:
        """Read a threshold. Raises BadInput."""
        try:
            value = Decimal(text)
        except InvalidOperation:
            value = Decimal(-1)
        if not value.is_finite() or not 0 <= value <= 1:
            raise BadInput("threshold: must be a decimal between 0 and 1")
        if len(nonce) != 64 or set(nonce) - set("0123456789abcdef"):
            raise BadInput("threshold nonce: must be 64 hex digits")
        return cls(value, nonce)

    @property
    def digest(self) -> str:
        return salted_digest(str(self.value.normalize()), self.nonce)


@dataclass(frozen=True)
class Determination:
    """The record. `margin` is estimate minus threshold; `uncertainty` is the interval's bounds."""

    rule: Rule
    subject: str
    outcome: Outcome
    suggested: Outcome
    why: str
    maker: str
    consulted: tuple[Consultation, ...]
    margin: Decimal
    uncertainty: tuple[Decimal, Decimal]
    threshold_digest: str
    made_on: str
    made_at: str

    def to_json(self) -> dict[str, Any]:
        """Return the whole record, for the office's own keeping."""
        low, high = self.uncertainty
        return {
            **self.releasable(),
            "format": FORMAT,
            "suggested": self.suggested.value,
            "margin": str(self.margin),
            "uncertainty": {"low": str(low), "high": str(high)},
        }

    def releasable(self) -> dict[str, Any]:
        """Return the record without threshold, margin and uncertainty."""
        return {
            "format": FORMAT + "/releasable",
            "rule": self.rule.id,
            "pack": self.rule.pack,
            "subject": self.subject,
            "outcome": self.outcome.value,
            "why": self.why,
            "maker": self.maker,
            "consulted": [consultation.to_json() for consultation in self.consulted],
            "threshold_digest": self.threshold_digest,
            "made_on": self.made_on,
            "made_at": self.made_at,
        }

    @property
    def digest(self) -> str:
        return digest(canonical(self.to_json()))

    def earlier_state(self, assessment: Assessment) -> str:
        """Return "" or the sentence that this was made on an earlier state of `assessment`."""
        if assessment.digest == self.made_on:
            return ""
        return (
            f"Made on an earlier state ({self.made_on}); the assessment is now {assessment.digest}."
        )


def suggest(low: Decimal, high: Decimal, threshold: Threshold) -> Outcome:
    """Return the outcome that the interval by itself supports."""
    if low >= threshold.value:
        return Outcome.MEETS
    if high < threshold.value:
        return Outcome.DOES_NOT_MEET
    return Outcome.INSUFFICIENT_EVIDENCE


def determine(
    assessment: Assessment,
    subject: str,
    *,
    rule: Rule,
    threshold: Threshold,
    maker: str,
    why: str,
    consulted: Sequence[Consultation],
    now: datetime,
    outcome: Outcome | None = None,
) -> Determination:
    """Record a determination on one subject of an assessment.

    Args:
        subject: the subject's name in the assessment.
        outcome: the maker's, where it differs from what the interval suggests.

    Raises:
        BadInput: a field is missing, or the assessment has no such subject.
    """
    _require({"rule": rule.id, "pack": rule.pack, "maker": maker, "why": why})
    for consultation in consulted:
        _require({"consulted.office": consultation.office, "consulted.view": consultation.view})
        if consultation.on > now.date():
            raise BadInput(f"consulted.on: {consultation.on} is after the determination")
    entry = next((s for s in assessment.subjects if s.name == subject), None)
    if entry is None:
        raise BadInput(f"subject: the assessment has none named {subject[:60]!r}")
    score = entry.score.to_json()
    estimate, low, high = (Decimal(score[key]) for key in ("estimate", "low", "high"))
    suggested = suggest(low, high, threshold)
    return Determination(
        rule=rule,
        subject=subject,
        outcome=outcome or suggested,
        suggested=suggested,
        why=why.strip(),
        maker=maker.strip(),
        consulted=tuple(consulted),
        margin=estimate - threshold.value,
        uncertainty=(low, high),
        threshold_digest=threshold.digest,
        made_on=assessment.digest,
        made_at=format_time(now),
    )


def _require(fields: dict[str, str]) -> None:
    for name, value in fields.items():
        if not value.strip():
            raise BadInput(f"{name}: must be given")
