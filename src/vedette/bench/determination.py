"""Determination: whether a model meets a threshold, on the record. It has no effect on a release.

Rules:
- The rule that was applied is named by its id in a policy pack, with the pack's digest.
- There are three outcomes: meets, does not meet, insufficient evidence. The interval suggests one:
  wholly at or above the threshold, wholly below it, or across it. The maker may record another;
  the record then shows both.
- The record names its maker, why, and every office consulted with its view and date. What an
  office gave as its reasons within a review does not cross; what it holds does.
- The threshold may be secret and is guessable: outside, a digest behind a 256-bit nonce stands for
  it. With the interval, which readers of the assessment know, either margin is the threshold: so
  margins are sealed with it (`secret`), and the record in the open says only where the interval
  lies. `releasable` carries no margin, and the uncertainty only where the lab has it already.
- It names the commitment of the run that it rests on, and says where it departs from it: another
  rule, another threshold, none committed to.
- A determination without a run names no threshold: its maker decides on the dossier and a review,
  and the record says that nothing was measured.
- The record keeps the digest of the assessment it was made on; when that has changed since,
  `earlier_state` says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


STANDING = {
    Outcome.MEETS: "the interval lies wholly at or above the threshold",
    Outcome.DOES_NOT_MEET: "the interval lies wholly below the threshold",
    Outcome.INSUFFICIENT_EVIDENCE: "the threshold lies within the interval",
}


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
    reasons: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return what may cross: without the reasons."""
        return {"office": self.office, "view": self.view, "on": self.on.isoformat()}

    def whole(self) -> dict[str, Any]:
        return {**self.to_json(), "reasons": self.reasons} if self.reasons else self.to_json()


@dataclass(frozen=True)
class Basis:
    """What a determination was made on besides its assessment: each "" where there is none."""

    build: str = ""
    review: str = ""
    earlier: str = ""
    changed: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return what may cross: without the review's digest, which could be guessed from texts."""
        given = {"build": self.build, "earlier": self.earlier}
        parts: dict[str, Any] = {name: text for name, text in given.items() if text}
        return parts | ({"changed": list(self.changed)} if self.changed else {})


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
    """The record. `margins` are the interval's bounds minus the threshold, low and high.

    `uncertainty` is the assessment's own: bounds, level, n, effective n, method. Both are None
    where nothing was measured.
    """

    rule: Rule
    subject: str
    outcome: Outcome
    suggested: Outcome | None
    why: str
    maker: str
    consulted: tuple[Consultation, ...]
    margins: tuple[Decimal, Decimal] | None
    uncertainty: Mapping[str, Any] | None
    threshold_digest: str
    made_on: str
    made_at: str
    basis: Basis = Basis()
    committed: Mapping[str, str] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the whole record, for the office's own keeping."""
        return {
            **self.releasable(),
            **({"review": self.basis.review} if self.basis.review else {}),
            "format": FORMAT,
            "made_on": self.made_on,
            "suggested": self.suggested.value if self.suggested else "",
            "margin": self.standing,
            "uncertainty": dict(self.uncertainty) if self.uncertainty else None,
            "consulted": [consultation.whole() for consultation in self.consulted],
        }

    @property
    def departs(self) -> tuple[str, ...]:
        """Where it is made otherwise than its run committed to, in sentences."""
        if self.committed is None:
            return ()
        own = {"rule": self.rule.id, "pack": self.rule.pack}
        said = [
            f"made under another {words} than committed"
            for name, words in (("rule", "rule"), ("pack", "policy pack"))
            if own[name] != self.committed[name]
        ]
        threshold = self.committed["threshold_digest"]
        if not threshold:
            said.append("no threshold was committed to before the run")
        elif threshold != self.threshold_digest:
            said.append("made under another threshold than committed")
        return tuple(said)

    @property
    def standing(self) -> str:
        """Where the interval lies, in words that tell no more than `suggested` does."""
        return STANDING[self.suggested] if self.suggested else "nothing was measured"

    def secret(self) -> dict[str, str]:
        """Return what is sealed with the threshold."""
        if self.margins is None:
            return {}
        return {"margin_low": str(self.margins[0]), "margin_high": str(self.margins[1])}

    def releasable(self, *, shared: bool = False) -> dict[str, Any]:
        """Return the record without threshold and margins.

        Args:
            shared: the lab has the assessment, and with it the uncertainty.
        """
        known = {"uncertainty": dict(self.uncertainty)} if shared and self.uncertainty else {}
        return {
            **known,
            **self.basis.to_json(),
            **self._commitment(),
            "format": FORMAT + "/releasable",
            "rule": self.rule.id,
            "pack": self.rule.pack,
            "subject": self.subject,
            "outcome": self.outcome.value,
            "why": self.why,
            "maker": self.maker,
            "consulted": [consultation.to_json() for consultation in self.consulted],
            "threshold_digest": self.threshold_digest,
            "made_on": self.made_on if self.uncertainty else "a review, without a run",
            "made_at": self.made_at,
        }

    def _commitment(self) -> dict[str, Any]:
        if self.committed is None:
            return {}
        return {"committed": dict(self.committed), "departs": list(self.departs)}

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
    assessment: Assessment | None,
    subject: str,
    *,
    rule: Rule,
    threshold: Threshold | None,
    maker: str,
    why: str,
    consulted: Sequence[Consultation],
    now: datetime,
    outcome: Outcome | None = None,
    basis: Basis = Basis(),
) -> Determination:
    """Record a determination on one subject of an assessment, or without one on a review.

    Args:
        subject: the subject's name in the assessment; without one the model's.
        outcome: the maker's, where it differs from what the interval suggests.

    Raises:
        BadInput: a field is missing, or the assessment has no such subject.
    """
    _require({"rule": rule.id, "pack": rule.pack, "maker": maker, "why": why})
    for consultation in consulted:
        _require({"consulted.office": consultation.office, "consulted.view": consultation.view})
        if consultation.on > now.date():
            raise BadInput(f"consulted.on: {consultation.on} is after the determination")
    suggested, margins, score = _measured(assessment, subject, threshold)
    resolved = outcome or suggested
    if resolved is None:
        raise BadInput("outcome: without a run its maker names it")
    if assessment is None and not basis.review:
        raise BadInput("review: without a run a determination rests on a review")
    return Determination(
        rule=rule,
        subject=subject,
        outcome=resolved,
        suggested=suggested,
        why=why.strip(),
        maker=maker.strip(),
        consulted=tuple(consulted),
        margins=margins,
        uncertainty=score,
        threshold_digest=threshold.digest if threshold else "",
        made_on=assessment.digest if assessment else basis.review,
        made_at=format_time(now),
        basis=basis,
        committed=_committed(assessment) if assessment else None,
    )


def _committed(assessment: Assessment) -> dict[str, str]:
    return {"commitment_digest": assessment.commitment_digest, **assessment.criterion}


def _measured(
    assessment: Assessment | None, subject: str, threshold: Threshold | None
) -> tuple[Outcome | None, tuple[Decimal, Decimal] | None, Mapping[str, Any] | None]:
    """What the interval suggests, its margins, and the score with its uncertainty."""
    if assessment is None:
        return None, None, None
    if threshold is None:
        raise BadInput("threshold: must be given")
    entry = next((s for s in assessment.subjects if s.name == subject), None)
    if entry is None:
        raise BadInput(f"subject: the assessment has none named {subject[:60]!r}")
    score = entry.score.to_json()
    low, high = Decimal(score["low"]), Decimal(score["high"])
    told = {key: score[key] for key in ("low", "high", "level", "n", "n_effective", "method")}
    margins = low - threshold.value, high - threshold.value
    return suggest(low, high, threshold), margins, told


def _require(fields: dict[str, str]) -> None:
    for name, value in fields.items():
        if not value.strip():
            raise BadInput(f"{name}: must be given")
