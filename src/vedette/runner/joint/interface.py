"""What a third place has to show for a run there: one port, one file an implementation.

A run at a third place goes like one on the lab's machine (`bench.bundle`): the bundle is made for
the place's keys, and the results come back signed by them. What is more is the attestation: some
evidence that the place is what both sides agreed on. What there is to check, and by whom, depends
on the place's hardware and maker, so that it stands behind this port. What ships is `recorded`,
which checks nothing by itself; nothing here talks to a trusted execution environment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Attested:
    """What is on record of a place's attestation; `bound` whether it names the run's commitment."""

    method: str
    digest: str
    verifier: str
    words: str
    bound: bool

    def to_json(self) -> dict[str, Any]:
        """Return it as a run keeps it and a report shows it."""
        return {
            "attestation_method": self.method,
            "attestation_digest": self.digest,
            "attestation_verifier": self.verifier,
            "attestation_words": self.words,
            "attestation_bound": "yes" if self.bound else "no: it names no commitment of this run",
        }


class JointPlace(Protocol):
    """A place that can be attested for one run."""

    def attest(self, commitment_digest: str) -> Attested:
        """Return what vouches for the place in the run of that commitment. Raises BadInput."""
        ...
