"""Which model was that: what calls and results are put to, by build and by fingerprint.

Rules:
- A build is what the lab states: name, checkpoint (a digest, or none where the model is behind an
  endpoint that shows none), safeguards, system prompt (its digest), sampling. Any other statement
  is another build.
- A call belongs to the build that the proxy named with it.
- A fingerprint that differs begins another era, whatever the lab states; a call between the last
  round that fitted and the first that did not belongs to neither for certain, and says so. Where
  only several rounds together differ, the change may have come before any of them.
- Results are split by both: what was reached under one label is never counted with another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from vedette.kernel.canonical import canonical, digest

MIXED = "more than one build"
NOT_NAMED = "no build named"


@dataclass(frozen=True)
class Statement:
    """One build in the lab's words; digests as `sha256:…`, "" where it states none."""

    name: str
    checkpoint: str = ""
    safeguards: str = ""
    system_prompt: str = ""
    sampling: str = ""

    @property
    def behind_endpoint(self) -> bool:
        return not self.checkpoint

    @property
    def digest(self) -> str:
        """What tells one statement from another."""
        return digest(canonical(vars(self)))

    def changed_from(self, other: Statement) -> list[str]:
        """The names of what differs."""
        return [name for name, value in vars(self).items() if value != getattr(other, name)]


def digest_of(text: str) -> str:
    """The digest of a system prompt; a digest stays what it is, nothing stays nothing."""
    if not text or (len(text) == 71 and text.startswith("sha256:")):
        return text
    return digest(text.encode())


@dataclass(frozen=True)
class Round:
    """One taking of the probes: from when to when, and whether it fitted or "changed".

    `recent` rounds, this one and those right before it, differ together from the ones before them.
    """

    at: datetime
    verdict: str
    until: datetime | None = None
    recent: int = 1

    @property
    def end(self) -> datetime:
        return self.until or self.at


def era_of(at: datetime, rounds: Sequence[Round]) -> tuple[int, int]:
    """The first and the last era that a moment may belong to, counted from 0.

    They are one and the same where the rounds around it leave no doubt.
    """
    ordered = sorted(rounds, key=lambda r: r.at)
    first = sum(r.verdict == "changed" and r.at <= at for r in ordered)
    doubtful = any(
        made.verdict == "changed" and ordered[max(0, place - made.recent)].end < at < made.at
        for place, made in enumerate(ordered)
    )
    return first, first + doubtful


def label_of(build: str, at: datetime, rounds: Sequence[Round], names: Mapping[str, str]) -> str:
    """What a call is put to: the build's name, and the era where there is more than one."""
    name = names.get(build, NOT_NAMED) or NOT_NAMED
    if not any(r.verdict == "changed" for r in rounds):
        return name
    first, last = era_of(at, rounds)
    if first != last:
        return f"{name}, fingerprint {first + 1} or {last + 1}"
    return f"{name}, fingerprint {first + 1}"


def join_labels(labels: Iterable[str]) -> str:
    """The label of what several calls made together."""
    found = set(labels)
    return found.pop() if len(found) == 1 else MIXED if found else NOT_NAMED
