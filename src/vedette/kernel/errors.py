"""Errors that speak to people: what happened, what was kept, what to do next.

The command line prints `str(error)` as one line and exits with `exit_code`; the API answers
problem+json with `status`. Exit codes: 1 the answer is no, 2 bad input or refused, 3 our fault.
"""

from __future__ import annotations


class VedetteError(Exception):
    """Base of every error meant for a person.

    Args:
        what: what happened, naming the field or file.
        kept: what was kept in spite of it ("" when there was nothing to keep).
        next_step: what the reader can do now.
    """

    exit_code = 2
    status = 400
    title = "bad input"

    def __init__(self, what: str, *, kept: str = "", next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.kept = kept
        self.next_step = next_step

    def __str__(self) -> str:
        parts = [self.what]
        if self.kept:
            parts.append(f"kept: {self.kept}")
        if self.next_step:
            parts.append(f"next: {self.next_step}")
        return "; ".join(parts)


class BadInput(VedetteError):
    """Input that can't be taken: malformed, too large, out of range."""


class Refused(VedetteError):
    """A well-formed request that a rule refuses (over quota, outside the window, over-marked)."""

    status = 409
    title = "refused"


class Forbidden(VedetteError):
    """A member of the organisation who lacks the permission for this act."""

    status = 403
    title = "not permitted"


class NotFound(VedetteError):
    """Absent, or not this reader's to know about: the two look alike."""

    status = 404
    title = "not found"


class AnswerIsNo(VedetteError):
    """A check ran and failed: a broken ledger, a finding that does not reproduce."""

    exit_code = 1
    status = 422
    title = "check failed"


class MissingPart(VedetteError):
    """An extra or a system package that this act needs is not installed."""

    status = 501
    title = "part missing"


class OurFault(VedetteError):
    """A state that should be impossible."""

    exit_code = 3
    status = 500
    title = "internal error"
