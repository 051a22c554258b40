"""An operator's notices and answers, and what a clearinghouse hears of them."""

from __future__ import annotations

from typing import Any, Literal

from ninja import Query, Schema
from pydantic import Field

from vedette.services import answers, bulk_answers, notices, product_names
from vedette.services.operator_views import notice_list
from vedette.web.api.idempotency import Asked, Router
from vedette.web.api.kinds import Moment, Note
from vedette.web.api.paging import Page, Paging, page_of

router = Router(tags=["notices"])


class NoticeLine(Schema):
    id: str
    rank: int
    advisory: str
    also: list[str]
    known_as: list[str]
    title: str
    inventory: dict[str, str]
    component: dict[str, Any]
    reason: str
    confidence: str
    systems: int
    verdict: str
    naive: str
    facts: dict[str, Any]
    row: str
    deadline: str | None
    next_upgrade: bool
    forensics: bool
    pack_digest: str
    state: str
    control: str
    expires_at: str | None
    evidence: dict[str, Any]
    answered_by: str
    mandate: str
    sent_at: str
    answered_at: str | None
    verified_at: str | None


class NoticeOut(NoticeLine):
    matches: list[dict[str, Any]]
    epss: float | None
    answers: list[str]
    history: list[dict[str, str]]


class NoticeAnswerIn(Schema):
    state: Literal["patched", "deferred", "not-affected", "unanswered"]
    control: Note = ""
    expires: Moment | None = None


class SeveralIn(NoticeAnswerIn):
    notices: list[str] = Field(min_length=1, max_length=500)


class SeveralOut(Schema):
    batch: str
    notices: list[str]
    refused: dict[str, str]


class AnswersOut(Schema):
    advisory: str
    names: list[str]
    operators: list[dict[str, Any]]
    counts: dict[str, int]
    over_time: list[dict[str, Any]]


@router.get(
    "/notices",
    response=Page[NoticeLine],
    operation_id="listNotices",
    summary="Own notices, most urgent first",
)
def list_notices(
    request: Asked,
    paging: Query[Paging],
    state: str = "",
    only_open: bool = False,
    verdict: str = "",
    confidence: str = "",
    row: str = "",
) -> Any:
    """`row` is a row of the priority table, as in "n/y/y/total"."""
    rows = notice_list(
        request.auth,
        state=state,
        only_open=only_open,
        verdict=verdict,
        confidence=confidence,
        row=row,
    )
    return page_of(rows, paging, notices.describe)


@router.get(
    "/notices/{notice_id}", response=NoticeOut, operation_id="readNotice", summary="One notice"
)
def read(request: Asked, notice_id: str) -> Any:
    return notices.notice_view(request.auth, notice_id)


@router.post(
    "/notices/{notice_id}/answer",
    response=NoticeOut,
    operation_id="answerNotice",
    summary="Answer a notice",
)
def answer(request: Asked, notice_id: str, body: NoticeAnswerIn) -> Any:
    """A deferral needs a compensating control and an expiry; `unanswered` takes an answer back."""
    notices.answer_notice(request.auth, notice_id, body.state, body.control, body.expires)
    return notices.notice_view(request.auth, notice_id)


@router.post(
    "/notices/{notice_id}/verify",
    response=NoticeOut,
    operation_id="verifyNotice",
    summary="Verify a patch",
)
def verify(request: Asked, notice_id: str) -> Any:
    """The newest inventory is matched again; where the patch does not show, 409 says why."""
    notices.verify_notice(request.auth, notice_id)
    return notices.notice_view(request.auth, notice_id)


class NameIn(Schema):
    ours: str = Field(description="as `ours` of a match of the notice", max_length=300)
    theirs: str = Field(description="as one of `theirs` of that match", max_length=300)
    same: bool = Field(description="whether the asset is that product")


class NameOut(NameIn):
    id: str
    site: str = Field(description="where it counts; empty: at every site")
    by: str
    mandate: str
    at: Moment


@router.post(
    "/notices/{notice_id}/names",
    response=NameOut,
    operation_id="sayName",
    summary="Say whether an asset is the product that it is matched with",
)
def say_name(request: Asked, notice_id: str, body: NameIn) -> Any:
    """It is remembered for every inventory and advisory that write the two names so."""
    row = product_names.say(request.auth, notice_id, body.ours, body.theirs, body.same)
    return product_names.describe(row)


@router.get(
    "/names",
    response=list[NameOut],
    operation_id="listNames",
    summary="What was said of names",
)
def list_names(request: Asked) -> Any:
    return product_names.listed(request.auth)


@router.post(
    "/names/{said_id}/forget",
    response=list[NameOut],
    operation_id="forgetName",
    summary="Take back what was said of two names",
)
def forget_name(request: Asked, said_id: str) -> Any:
    product_names.forget(request.auth, said_id)
    return product_names.listed(request.auth)


@router.post(
    "/answers",
    response=SeveralOut,
    operation_id="answerNotices",
    summary="Answer several notices at once",
)
def answer_several(request: Asked, body: SeveralIn) -> Any:
    """Each is answered for itself; what could not be answered so is told with its reason."""
    answer = (body.state, body.control, body.expires)
    return several(bulk_answers.answer_several(request.auth, body.notices, *answer))


@router.post(
    "/answers/{batch}/undo",
    response=SeveralOut,
    operation_id="undoAnswers",
    summary="Give the notices of one answer back what they had",
)
def undo(request: Asked, batch: str) -> Any:
    return several(bulk_answers.undo(request.auth, batch))


def several(made: bulk_answers.Answered) -> dict[str, Any]:
    """What became of an answer to several notices, as JSON."""
    refused = {notice: error.what for notice, error in made.refused}
    return {"batch": made.batch, "notices": list(made.notices), "refused": refused}


@router.get(
    "/advisories/{advisory}/answers",
    response=AnswersOut,
    operation_id="readAnswers",
    summary="Which operators answered what, and which are silent",
)
def read_answers(request: Asked, advisory: str) -> Any:
    return answers.answers_for(request.auth, advisory)
