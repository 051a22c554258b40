"""Reviews of acts by several offices, worksheets, questions on fields, consultations."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from ninja import Query, Schema
from pydantic import Field

from vedette.services import (
    acceptance,
    consultations,
    dossier_states,
    questions,
    review_views,
    reviews,
    worksheets,
)
from vedette.web.api.idempotency import Asked, Router
from vedette.web.api.kinds import Moment, Name, Note
from vedette.web.api.paging import Page, Paging, page_of

router = Router(tags=["reviews"])
Out = dict[str, Any]
LongText = Annotated[str, Field(max_length=20_000)]
MarkText = Annotated[str, Field(max_length=200, examples=["TLP:AMBER+STRICT"])]


class ReviewIn(Schema):
    act: str = Field(max_length=40)


class MoveIn(Schema):
    move: str = Field(max_length=20)


class PlaceMoveIn(MoveIn):
    office: str = Field("", max_length=40, description="for the lead: whose place")


class ProposalIn(Schema):
    text: LongText
    marking: MarkText = "TLP:AMBER+STRICT"


class OfficeIn(Schema):
    """An organisation of this instance (`office`), or one with its own instance (`peer`)."""

    office: str = Field("", max_length=200)
    peer: str = Field("", max_length=200)
    fields: list[str] | None = Field(None, max_length=500, description="null: all of them")
    hears_others: bool = True
    tasks: bool = True
    text: Note = ""
    wished_for: Moment | None = None


class ShareIn(Schema):
    office: str = Field(max_length=40)
    fields: list[str] = Field(max_length=500)


class TaskIn(Schema):
    title: str = Field(min_length=1, max_length=300)
    office: str = Field("", max_length=40, description="empty: the lead's own")
    person: str = Field("", max_length=200)
    due: date | None = None


class CommentIn(Schema):
    text: LongText
    field: str = Field("", max_length=64, description="empty: on the whole")
    marking: MarkText = "TLP:AMBER+STRICT"
    lead_only: bool = False


class ViewIn(Schema):
    stand: Literal["agrees", "disagrees", "no view"]
    reasons: LongText = ""
    marking: MarkText = "TLP:AMBER+STRICT"


class ReviewAcceptIn(Schema):
    digest: str = Field("", max_length=71, description="of the version that was read")


class ChecksIn(Schema):
    looks: dict[str, Literal["", "seen", "question"]]


class ExtractIn(Schema):
    fields: list[str] = Field(max_length=500)
    withheld: dict[str, str] = Field(default_factory=dict)


class QuestionIn(Schema):
    act: str = Field(max_length=40)
    field: str = Field(max_length=64)
    text: str = Field(min_length=1, max_length=4_000)
    follows: str = Field("", max_length=40)
    behalf: str = Field("", max_length=200)
    wished_for: Moment | None = None


class FieldAnswerIn(Schema):
    answer: Literal["answered", "declined", "left"]
    text: LongText = ""


class ConsultationIn(Schema):
    answer: Literal["agrees", "disagrees", "no view", "declined"]
    reasons: Note = ""
    marking: str = Field("", max_length=200)


class ReviewLine(Schema):
    id: str
    kind: str
    model: str
    state: str
    marking: str
    opened_at: str
    concluded_at: str | None


class QuestionLine(Schema):
    id: str
    act: str
    model: str
    peer: Name
    field: str
    label: str
    section: str
    withheld: str
    text: str
    behalf: str
    follows: str
    wished_for: str | None
    state: str
    answer: str
    marking: str
    asked_by: str
    asked_at: str
    answered_by: str
    answered_at: str | None


@router.get("/reviews", response=Page[ReviewLine], operation_id="listReviews", summary="Reviews")
def list_reviews(request: Asked, paging: Query[Paging], act: str = "", state: str = "") -> Any:
    rows = review_views.browse_reviews(request.auth, act_id=act, state=state)
    return page_of(rows, paging, review_views.review_row)


@router.post("/reviews", response=Out, operation_id="openReview", summary="Open a review")
def open_review(request: Asked, body: ReviewIn) -> Any:
    return _view(request, reviews.open_review(request.auth, body.act).id)


def _view(request: Asked, review_id: str) -> Any:
    return review_views.review_view(request.auth, review_id)


@router.get("/reviews/{review_id}", response=Out, operation_id="readReview", summary="One review")
def read_review(request: Asked, review_id: str) -> Any:
    """The portions that the caller may read."""
    return _view(request, review_id)


@router.post(
    "/reviews/{review_id}/move", response=Out, operation_id="moveReview", summary="Conclude, reopen"
)
def move_review(request: Asked, review_id: str, body: MoveIn) -> Any:
    """Moves: conclude, end, reopen."""
    reviews.move_review(request.auth, review_id, body.move)
    return _view(request, review_id)


@router.post(
    "/reviews/{review_id}/proposal",
    response=Out,
    operation_id="proposeConclusion",
    summary="Propose a conclusion",
)
def propose(request: Asked, review_id: str, body: ProposalIn) -> Any:
    reviews.propose(request.auth, review_id, body.text, body.marking)
    return _view(request, review_id)


@router.post(
    "/reviews/{review_id}/offices",
    response=Out,
    operation_id="inviteOffice",
    summary="Invite an office",
)
def invite(request: Asked, review_id: str, body: OfficeIn) -> Any:
    reviews.invite_office(request.auth, review_id, **body.dict())
    return _view(request, review_id)


@router.post(
    "/reviews/{review_id}/share",
    response=Out,
    operation_id="shareFields",
    summary="Change what an office reads",
)
def share(request: Asked, review_id: str, body: ShareIn) -> Any:
    reviews.share_fields(request.auth, review_id, body.office, body.fields)
    return _view(request, review_id)


@router.post(
    "/reviews/{review_id}/place",
    response=Out,
    operation_id="movePlace",
    summary="Take part, decline, leave; for the lead: end the sharing",
)
def place(request: Asked, review_id: str, body: PlaceMoveIn) -> Any:
    made = reviews.move_place(request.auth, review_id, body.move, body.office)
    return {"review": review_id, "office": made.org_id, "state": made.state}


@router.post(
    "/reviews/{review_id}/tasks", response=Out, operation_id="setTask", summary="Set a task"
)
def task(request: Asked, review_id: str, body: TaskIn) -> Any:
    reviews.set_task(
        request.auth,
        review_id,
        body.title,
        org_id=body.office,
        person=body.person,
        due=body.due,
    )
    return _view(request, review_id)


@router.post(
    "/reviews/{review_id}/tasks/{task_id}/move",
    response=Out,
    operation_id="moveTask",
    summary="Begin, finish, drop or reopen a task",
)
def move_task(request: Asked, review_id: str, task_id: str, body: MoveIn) -> Any:
    reviews.move_task(request.auth, review_id, task_id, body.move)
    return _view(request, review_id)


@router.post(
    "/reviews/{review_id}/comments",
    response=Out,
    operation_id="commentReview",
    summary="Write a portion",
)
def comment(request: Asked, review_id: str, body: CommentIn) -> Any:
    reviews.comment(request.auth, review_id, **body.dict())
    return _view(request, review_id)


@router.post(
    "/reviews/{review_id}/views", response=Out, operation_id="giveView", summary="Give a view"
)
def view(request: Asked, review_id: str, body: ViewIn) -> Any:
    reviews.give_view(request.auth, review_id, **body.dict())
    return _view(request, review_id)


@router.post(
    "/reviews/{review_id}/terms/accept",
    response=Out,
    operation_id="acceptTermsForReview",
    summary="Accept the terms as a person of an office that takes part",
)
def accept(request: Asked, review_id: str, body: ReviewAcceptIn) -> Any:
    made = acceptance.accept_for_review(request.auth, review_id, body.digest)
    return {"review": review_id, "person": made.person, "version": made.number}


@router.get(
    "/reviews/{review_id}/worksheet",
    response=Out,
    operation_id="readWorksheet",
    summary="The dossier field by field",
)
def worksheet(request: Asked, review_id: str) -> Any:
    return worksheets.worksheet_view(request.auth, review_id)


@router.post(
    "/reviews/{review_id}/worksheet",
    response=Out,
    operation_id="checkFields",
    summary="Keep where the caller's office is with fields",
)
def check(request: Asked, review_id: str, body: ChecksIn) -> Any:
    changed = worksheets.check_fields(request.auth, review_id, body.looks)
    return {"review": review_id, "changed": changed}


@router.get(
    "/reviews/{review_id}/fields/{field}",
    response=Out,
    operation_id="readField",
    summary="One field with its states, comments and questions",
)
def read_field(request: Asked, review_id: str, field: str) -> Any:
    return review_views.field_view(request.auth, review_id, field)


@router.post(
    "/acts/{act_id}/dossier",
    response=Out,
    operation_id="updateDossier",
    summary="Send the dossier's fields as they are now",
)
def update(request: Asked, act_id: str, body: ExtractIn) -> Any:
    """The lab's own: what is named crosses, and nothing else."""
    made = dossier_states.update_dossier(request.auth, act_id, body.fields, body.withheld)
    return {
        "act": act_id,
        "number": made.number,
        "values": made.values,
        "withheld": made.withheld,
        "marking": made.marking,
    }


@router.get(
    "/questions",
    response=Page[QuestionLine],
    operation_id="listQuestions",
    summary="Questions on fields, newest first",
)
def list_questions(
    request: Asked, paging: Query[Paging], act: str = "", field: str = "", state: str = ""
) -> Any:
    rows = questions.browse_questions(request.auth, act_id=act, field=field, state=state)
    return page_of(rows, paging, questions.rows_for(request.auth))


@router.post("/questions", response=Out, operation_id="askQuestion", summary="Ask on a field")
def ask(request: Asked, body: QuestionIn) -> Any:
    """No clock stops for a question; `wished_for` binds nobody."""
    given = body.dict()
    made = questions.ask(
        request.auth, given.pop("act"), given.pop("field"), given.pop("text"), **given
    )
    return questions.question_view(request.auth, made.id)


@router.get(
    "/questions/{question_id}", response=Out, operation_id="readQuestion", summary="One question"
)
def read_question(request: Asked, question_id: str) -> Any:
    return questions.question_view(request.auth, question_id)


@router.post(
    "/questions/{question_id}/answer",
    response=Out,
    operation_id="answerQuestion",
    summary="Answer, decline or leave a question",
)
def answer(request: Asked, question_id: str, body: FieldAnswerIn) -> Any:
    questions.answer(request.auth, question_id, body.answer, body.text)
    return questions.question_view(request.auth, question_id)


@router.get(
    "/consultations",
    response=list[Out],
    operation_id="listConsultations",
    summary="What other offices ask",
)
def list_consultations(request: Asked) -> Any:
    return consultations.consultations(request.auth)


@router.get(
    "/consultations/{consultation_id}",
    response=Out,
    operation_id="readConsultation",
    summary="What another office asks, with its extract",
)
def read_consultation(request: Asked, consultation_id: str) -> Any:
    return consultations.consultation_view(request.auth, consultation_id)


@router.post(
    "/consultations/{consultation_id}/answer",
    response=Out,
    operation_id="answerConsultation",
    summary="Give this office's view, or decline",
)
def answer_consultation(request: Asked, consultation_id: str, body: ConsultationIn) -> Any:
    consultations.answer(request.auth, consultation_id, body.answer, body.reasons, body.marking)
    return consultations.consultation_view(request.auth, consultation_id)
