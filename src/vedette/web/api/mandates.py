"""Mandates, and what a delegate does for the operators that gave it one."""

from __future__ import annotations

from typing import Any, Literal

from ninja import Query, Schema
from pydantic import Field

from vedette.clearinghouse.mandates import MOST_BASIS, MOST_SITES
from vedette.kernel.bounds import from_text
from vedette.services import delegates, inventories, mandates, onboarding
from vedette.web.api.idempotency import Asked, Router
from vedette.web.api.inventories import RAW, InventoryIn, InventoryOut
from vedette.web.api.kinds import Moment, Name
from vedette.web.api.matches import AssetMarkIn
from vedette.web.api.notices import NoticeLine, NoticeOut, SeveralIn, SeveralOut, several
from vedette.web.api.paging import Page, Paging, page_of

router = Router(tags=["mandates"])
Act = Literal["read-notices", "keep-inventories", "answer-notices", "state-vex"]


class BoundsIn(Schema):
    """`basis` is kept verbatim."""

    acts: list[Act] = Field(min_length=1, max_length=4)
    basis: str = Field(min_length=1, max_length=MOST_BASIS)
    ends: Moment


class MandateIn(BoundsIn):
    """`other`: the delegate's or the operator's id or exact name. No sites: all of them."""

    other: Name
    starts: Moment | None = None
    sites: list[Name] = Field(default_factory=list, max_length=MOST_SITES)


class MandateOut(Schema):
    id: str
    state: str
    side: str
    operator: dict[str, str]
    delegate: dict[str, str]
    acts: list[str]
    sites: list[str]
    basis: str
    starts_at: str
    ends_at: str
    registered: bool
    made_by: str
    made_at: str
    accepted_by: str
    accepted_at: str | None
    ended_by: str
    ended_at: str | None
    moves: list[str]


class RegisteredIn(Schema):
    name: Name
    email: str = Field("", max_length=254)
    sector: str = Field("", max_length=100)


class RegisterIn(BoundsIn):
    operators: list[RegisteredIn] = Field(min_length=1, max_length=onboarding.MOST)


class LineOut(Schema):
    name: str
    done: bool
    said: str
    id: str


class OperatorOut(Schema):
    id: str
    name: str
    mandate: str
    acts: list[str]
    open: int
    overdue: int


class DelegatedLine(NoticeLine):
    operator: dict[str, str]


class DelegatedOut(NoticeOut):
    operator: dict[str, str]


class DelegatedInventory(InventoryOut):
    operator: dict[str, str]


@router.get(
    "/mandates",
    response=list[MandateOut],
    operation_id="listMandates",
    summary="Mandates given or had, standing ones first",
)
def list_mandates(request: Asked) -> Any:
    return mandates.mandates(request.auth)


@router.post(
    "/mandates",
    response=MandateOut,
    operation_id="makeMandate",
    summary="Offer a mandate to a delegate, or ask an operator for one",
)
def make(request: Asked, body: MandateIn) -> Any:
    """Which of the two follows from the caller's own organisation; the other side accepts."""
    row = mandates.make_mandate(
        request.auth,
        body.other,
        body.acts,
        body.basis,
        body.ends,
        starts=body.starts,
        sites=body.sites,
    )
    return mandates.mandate(request.auth, row.id)


@router.get(
    "/mandates/{mandate_id}",
    response=MandateOut,
    operation_id="readMandate",
    summary="One mandate",
)
def read(request: Asked, mandate_id: str) -> Any:
    return mandates.mandate(request.auth, mandate_id)


@router.post(
    "/mandates/{mandate_id}/accept",
    response=MandateOut,
    operation_id="acceptMandate",
    summary="Accept what the other side offered or asked for",
)
def accept(request: Asked, mandate_id: str) -> Any:
    mandates.accept_mandate(request.auth, mandate_id)
    return mandates.mandate(request.auth, mandate_id)


@router.post(
    "/mandates/{mandate_id}/end",
    response=MandateOut,
    operation_id="endMandate",
    summary="End a mandate, at once",
)
def end(request: Asked, mandate_id: str) -> Any:
    mandates.end_mandate(request.auth, mandate_id)
    return mandates.mandate(request.auth, mandate_id)


@router.get(
    "/delegated/operators",
    response=list[OperatorOut],
    operation_id="listDelegatedOperators",
    summary="Operators whose mandates are in force, with what is open",
)
def list_operators(request: Asked) -> Any:
    return delegates.operators(request.auth)


@router.post(
    "/delegated/operators",
    response=list[LineOut],
    operation_id="registerOperators",
    summary="Register operators that are not here, each with a mandate",
)
def register(request: Asked, body: RegisterIn) -> Any:
    """Doing it again changes nothing. A name that is taken is told, and nothing else of it."""
    rows = [onboarding.Row(each.name, each.email, each.sector) for each in body.operators]
    return onboarding.register_operators(request.auth, rows, body.acts, body.basis, body.ends)


@router.get(
    "/delegated/inventories",
    response=list[DelegatedInventory],
    operation_id="listDelegatedInventories",
    summary="Current inventories of the operators",
)
def list_inventories(request: Asked) -> Any:
    return delegates.kept_inventories(request.auth)


@router.post(
    "/delegated/operators/{operator}/inventories",
    response=InventoryOut,
    operation_id="takeDelegatedInventory",
    summary="Take an inventory for an operator",
)
def take(request: Asked, operator: str, body: InventoryIn) -> Any:
    data = from_text(body.data, field="data")
    row = delegates.take_inventory(
        request.auth, operator, body.name, data, exposed=body.exposed, site=body.site
    )
    return inventories.describe(row)


@router.post(
    "/delegated/operators/{operator}/inventories/by-site",
    response=list[InventoryOut],
    operation_id="takeDelegatedInventoryBySite",
    summary="Take an operator's asset list as one inventory a site, the file as the body",
    openapi_extra=RAW,
)
def take_by_site(request: Asked, operator: str, name: str, exposed: bool = False) -> Any:
    """Every site that the list names must be covered by a mandate; else nothing is kept."""
    rows = delegates.take_by_site(request.auth, operator, name, request.body, exposed=exposed)
    return [inventories.describe(row) for row in rows]


@router.get(
    "/delegated/notices",
    response=Page[DelegatedLine],
    operation_id="listDelegatedNotices",
    summary="One inbox over the operators, grouped by operator",
)
def list_notices(
    request: Asked,
    paging: Query[Paging],
    operator: str = "",
    state: str = "",
    only_open: bool = False,
    verdict: str = "",
    confidence: str = "",
    row: str = "",
) -> Any:
    """Of one operator the most urgent come first. `row` is one of the priority table."""
    rows = delegates.delegated_notices(
        request.auth,
        operator=operator,
        state=state,
        only_open=only_open,
        verdict=verdict,
        confidence=confidence,
        row=row,
        grouped=True,
    )
    known = delegates.names(request.auth)
    return page_of(rows, paging, lambda each: delegates.describe(each, known))


@router.get(
    "/delegated/notices/{notice_id}",
    response=DelegatedOut,
    operation_id="readDelegatedNotice",
    summary="One notice of an operator",
)
def read_notice(request: Asked, notice_id: str) -> Any:
    return delegates.notice_view(request.auth, notice_id)


@router.post(
    "/delegated/notices/{notice_id}/assets",
    response=DelegatedOut,
    operation_id="markDelegatedAssets",
    summary="Mark single assets of an operator's notice",
)
def mark(request: Asked, notice_id: str, body: AssetMarkIn) -> Any:
    """The empty status takes a mark back: then the answer to the notice counts."""
    delegates.mark_assets(request.auth, notice_id, body.components, body.status)
    return delegates.notice_view(request.auth, notice_id)


@router.post(
    "/delegated/answers",
    response=SeveralOut,
    operation_id="answerDelegatedNotices",
    summary="One answer to notices of several operators",
)
def answer(request: Asked, body: SeveralIn) -> Any:
    """Each is recorded as given by the delegate for its operator, under the mandate."""
    given = (body.state, body.control, body.expires)
    return several(delegates.answer_several(request.auth, body.notices, *given))


@router.post(
    "/delegated/answers/{batch}/undo",
    response=SeveralOut,
    operation_id="undoDelegatedAnswers",
    summary="Give the notices of one answer back what they had",
)
def undo(request: Asked, batch: str) -> Any:
    return several(delegates.undo(request.auth, batch))
