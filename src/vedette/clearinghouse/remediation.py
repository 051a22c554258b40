"""How far an asset is with a vulnerability that it matches.

Vocabulary and rules of CSAF 2.0, conformance clause 13 (asset matching system).

Rules:
- An operator marks each asset for itself; without a mark the answer to the notice counts.
- A deferral is a remediation in progress: something shields the system until it is patched.
- An asset that is not affected is none of the three.
- A document's version is semantic where it has three numbers; then its first one is the major.
"""

from __future__ import annotations

import re
from enum import StrEnum

from vedette.clearinghouse.states import NoticeState


class Remediation(StrEnum):
    NOT_REMEDIATED = "not-remediated"
    IN_PROGRESS = "in-progress"
    DONE = "done"
    NOT_AFFECTED = "not-affected"


MARKS = (Remediation.NOT_REMEDIATED, Remediation.IN_PROGRESS, Remediation.DONE)
_ANSWERED = {
    NoticeState.UNANSWERED: Remediation.NOT_REMEDIATED,
    NoticeState.DEFERRED: Remediation.IN_PROGRESS,
    NoticeState.PATCHED: Remediation.DONE,
    NoticeState.VERIFIED: Remediation.DONE,
    NoticeState.NOT_AFFECTED: Remediation.NOT_AFFECTED,
}
_SEMANTIC = re.compile(r"(0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*)){2}(?:-[0-9A-Za-z.-]+)?(?:\+\S+)?")


def of_asset(mark: str, answer: str) -> Remediation:
    """The status of one asset by its own mark ("" for none) and the notice's answer."""
    return Remediation(mark) if mark else _ANSWERED[NoticeState(answer)]


def major(version: str) -> int | None:
    """The major number of a semantic version, None where the version is none."""
    found = _SEMANTIC.fullmatch(version)
    return int(found[1]) if found else None
