"""A review by several offices: who moves what, what each reads, and where they disagree.

Rules:
- The lead office opens a review of one act, invites others, and concludes; each office invited
  takes part, declines or leaves as it likes.
- Tasks run side by side. One that is past its day is shown as that; nothing waits for it.
- Each office gives a view on what the lead proposes; its latest counts, earlier ones stay. Views
  that differ are listed beside the conclusion, never added up.
- A view given on another text than the one that stands is shown as made on an earlier state.
- A comment is a portion with a marking of its own, at least that of the field it is about.
- A page shows the portions that its reader dominates. How many others there are is told only of
  those that the reader's level and compartments reach; of a higher one not even the number.
- A question is the office's wish: the lab answers, declines or leaves it. No row here has a clock,
  and none asks for, or changes, an act, a window, a plan or a date.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import partial
from typing import TypeVar

from vedette.kernel import markings
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.events import Event
from vedette.kernel.machine import Machine
from vedette.kernel.markings import Marking
from vedette.kernel.permissions import Permission


class Party(StrEnum):
    """Who moves a state of a review. HOLDER is the office that has a task."""

    CONSULTED = "consulted office"
    HOLDER = "holder"
    LAB = "lab"
    LEAD = "lead office"


class ReviewState(StrEnum):
    OPEN = "open"
    CONCLUDED = "concluded"
    ENDED = "ended"


class PlaceState(StrEnum):
    INVITED = "invited"
    TAKING_PART = "taking part"
    DECLINED = "declined"
    LEFT = "left"
    ENDED = "ended"


class TaskState(StrEnum):
    OPEN = "open"
    UNDER_WAY = "under way"
    DONE = "done"
    DROPPED = "dropped"


class QuestionState(StrEnum):
    ASKED = "asked"
    ANSWERED = "answered"
    DECLINED = "declined"
    LEFT = "left"


class ConsultationState(StrEnum):
    ASKED = "asked"
    ANSWERED = "answered"
    DECLINED = "declined"


class Stand(StrEnum):
    """What an office holds of the text that the lead proposes."""

    AGREES = "agrees"
    DISAGREES = "disagrees"
    NO_VIEW = "no view"


@dataclass(frozen=True)
class Row:
    """One move: on `trigger` by `actor`, from `source` to `target`, recorded as `event`."""

    actor: Party
    permission: Permission
    trigger: str
    source: str
    target: str
    event: Event
    label: str

    def taken_by(self, party: Party) -> bool:
        return party == self.actor


E, P = Event, Permission
_lead = partial(Row, Party.LEAD, P.REVIEW_LEAD)
_consulted = partial(Row, Party.CONSULTED, P.REVIEW_ADVISE)
_holder = partial(Row, Party.HOLDER, P.REVIEW_ADVISE)
_lab = partial(Row, Party.LAB, P.QUESTION_ANSWER)

R = ReviewState
REVIEW = Machine(
    "review",
    R.OPEN,
    (
        _lead("conclude", R.OPEN, R.CONCLUDED, E.ENGAGEMENT_REVIEW_CONCLUDED, "Conclude"),
        _lead("end", R.OPEN, R.ENDED, E.ENGAGEMENT_REVIEW_ENDED, "End without a conclusion"),
        _lead("reopen", R.CONCLUDED, R.OPEN, E.ENGAGEMENT_REVIEW_OPENED, "Open again"),
        _lead("reopen", R.ENDED, R.OPEN, E.ENGAGEMENT_REVIEW_OPENED, "Open again"),
    ),
)

S = PlaceState
_OVER = (S.DECLINED, S.LEFT, S.ENDED)
PLACE = Machine(
    "office's place in a review",
    S.INVITED,
    (
        _consulted(
            "take-part", S.INVITED, S.TAKING_PART, E.ENGAGEMENT_OFFICE_ANSWERED, "Take part"
        ),
        _consulted("decline", S.INVITED, S.DECLINED, E.ENGAGEMENT_OFFICE_ANSWERED, "Decline"),
        _consulted("leave", S.TAKING_PART, S.LEFT, E.ENGAGEMENT_OFFICE_ANSWERED, "Leave"),
        *(
            _lead("end", source, S.ENDED, E.ENGAGEMENT_OFFICE_ENDED, "End the sharing")
            for source in (S.INVITED, S.TAKING_PART)
        ),
        *(
            _lead("invite", source, S.INVITED, E.ENGAGEMENT_OFFICE_INVITED, "Invite again")
            for source in _OVER
        ),
    ),
)
SHARING = (S.INVITED, S.TAKING_PART)

T = TaskState
_MOVED = E.ENGAGEMENT_TASK_MOVED
TASK = Machine(
    "task of a review",
    T.OPEN,
    (
        _holder("begin", T.OPEN, T.UNDER_WAY, _MOVED, "Begin"),
        _holder("finish", T.OPEN, T.DONE, _MOVED, "Done"),
        _holder("finish", T.UNDER_WAY, T.DONE, _MOVED, "Done"),
        _holder("reopen", T.DONE, T.OPEN, _MOVED, "Open again"),
        _lead("drop", T.OPEN, T.DROPPED, _MOVED, "Drop"),
        _lead("drop", T.UNDER_WAY, T.DROPPED, _MOVED, "Drop"),
        _lead("reopen", T.DROPPED, T.OPEN, _MOVED, "Open again"),
    ),
)

Q = QuestionState
_ANSWERED = E.ENGAGEMENT_QUESTION_ANSWERED
QUESTION = Machine(
    "question on a field",
    Q.ASKED,
    (
        *(
            _lab("answer", source, Q.ANSWERED, _ANSWERED, label)
            for source, label in (
                (Q.ASKED, "Answer"),
                (Q.LEFT, "Answer"),
                (Q.DECLINED, "Answer after all"),
                (Q.ANSWERED, "Answer anew"),
            )
        ),
        _lab("decline", Q.ASKED, Q.DECLINED, _ANSWERED, "Decline"),
        _lab("decline", Q.LEFT, Q.DECLINED, _ANSWERED, "Decline"),
        _lab("leave", Q.ASKED, Q.LEFT, _ANSWERED, "Leave it"),
    ),
)

C = ConsultationState
_HELD = E.ENGAGEMENT_CONSULTATION_ANSWERED
CONSULTATION = Machine(
    "consultation",
    C.ASKED,
    (
        *(_consulted("answer", s, C.ANSWERED, _HELD, "Give a view") for s in C),
        _consulted("decline", C.ASKED, C.DECLINED, _HELD, "Decline"),
    ),
)
TABLES: tuple[Machine[Row], ...] = (REVIEW, PLACE, TASK, QUESTION, CONSULTATION)


@dataclass(frozen=True)
class View:
    """What one office holds; `made_on` is the digest of the text that it is about."""

    office: str
    stand: Stand
    reasons: str
    marking: Marking
    at: datetime
    made_on: str


V = TypeVar("V", bound=View)


def text_digest(text: str) -> str:
    """The digest by which a view names the proposed text that it was given on."""
    return digest(canonical({"text": text}))


def standing(views: Iterable[V]) -> dict[str, V]:
    """The latest view of each office, by its name."""
    latest: dict[str, V] = {}
    for view in sorted(views, key=lambda view: view.at):
        latest[view.office] = view
    return dict(sorted(latest.items()))


def disagreement(views: Iterable[V], made_on: str) -> tuple[V, ...]:
    """The standing views that disagree with the text of digest `made_on`, or with one before."""
    return tuple(view for view in standing(views).values() if view.stand == Stand.DISAGREES)


def past_day(state: str, due: date | None, now: datetime) -> bool:
    """Tell whether an unfinished task's day is over (in UTC; no day: never)."""
    unfinished = state in (TaskState.OPEN, TaskState.UNDER_WAY)
    return unfinished and due is not None and now.date() > due


def counted(hidden: Sequence[Marking], reader: Marking) -> int:
    """How many of the portions that `reader` does not see it may know to be there.

    Those that only their TLP label keeps from it; of one above its level, or in a compartment
    that it does not hold, not even the number is told.
    """
    return sum(
        not reader.dominates(marking)
        and reader.level >= marking.level
        and reader.compartments >= marking.compartments
        for marking in hidden
    )


def comment_marking(chosen: Marking, field: Marking | None) -> Marking:
    """The marking of a comment: as its writer chose it, at least that of the field it is about."""
    return markings.join([chosen, field] if field is not None else [chosen])
