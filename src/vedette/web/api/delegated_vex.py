"""What a delegate states for the operators that mandated it: VEX, and what names mean."""

from __future__ import annotations

from typing import Any

from vedette.services import delegated_names, delegated_vex, product_names, vex
from vedette.web.api.idempotency import Asked, Router
from vedette.web.api.inventories import RAW
from vedette.web.api.notices import NameIn, NameOut
from vedette.web.api.vex import SuppressedOut, VexOut

router = Router(tags=["mandates"])


class DelegatedVex(VexOut):
    own: bool
    operator: dict[str, str]


class DelegatedName(NameOut):
    own: bool
    operator: dict[str, str]


class DelegatedSuppressed(SuppressedOut):
    operator: dict[str, str]


@router.get(
    "/delegated/vex",
    response=list[DelegatedVex],
    operation_id="listDelegatedVex",
    summary="VEX documents of the operators, as far as mandates cover them",
)
def list_vex(request: Asked) -> Any:
    return delegated_vex.vex_documents(request.auth)


@router.post(
    "/delegated/operators/{operator}/vex",
    response=VexOut,
    operation_id="takeDelegatedVex",
    summary="Take a VEX document for an operator, as the body",
    openapi_extra=RAW,
)
def take_vex(request: Asked, operator: str, name: str, site: str = "") -> Any:
    """Without `site` it speaks of the whole organisation, and needs a mandate for that."""
    return vex.describe(delegated_vex.take_vex(request.auth, operator, name, request.body, site))


@router.post(
    "/delegated/vex/{document_id}/withdraw",
    response=VexOut,
    operation_id="withdrawDelegatedVex",
    summary="Let a document that one's own people handed in count no more",
)
def withdraw_vex(request: Asked, document_id: str) -> Any:
    return vex.describe(delegated_vex.withdraw_vex(request.auth, document_id))


@router.get(
    "/delegated/suppressed",
    response=list[DelegatedSuppressed],
    operation_id="listDelegatedSuppressed",
    summary="Matches of the operators that VEX takes away, and those lifted",
)
def list_suppressed(request: Asked) -> Any:
    return delegated_vex.suppressed(request.auth)


@router.post(
    "/delegated/suppressed/{suppression_id}/lift",
    response=SuppressedOut,
    operation_id="liftDelegatedSuppressed",
    summary="Find an operator's suppressed match again",
)
def lift(request: Asked, suppression_id: str) -> Any:
    return vex.describe_suppressed(delegated_vex.lift(request.auth, suppression_id))


@router.post(
    "/delegated/suppressed/{suppression_id}/honour",
    response=SuppressedOut,
    operation_id="honourDelegatedSuppressed",
    summary="Honour the statement on a lifted match again",
)
def honour(request: Asked, suppression_id: str) -> Any:
    return vex.describe_suppressed(delegated_vex.lift(request.auth, suppression_id, lifted=False))


@router.post(
    "/delegated/notices/{notice_id}/names",
    response=NameOut,
    operation_id="sayDelegatedName",
    summary="Say whether an operator's asset is the product that it is matched with",
)
def say_name(request: Asked, notice_id: str, body: NameIn) -> Any:
    """With a mandate for the whole organisation it counts at each site, else at the notice's."""
    row = delegated_names.say(request.auth, notice_id, body.ours, body.theirs, body.same)
    return product_names.describe(row)


@router.get(
    "/delegated/names",
    response=list[DelegatedName],
    operation_id="listDelegatedNames",
    summary="What was said of names for the operators",
)
def list_names(request: Asked) -> Any:
    return delegated_names.listed(request.auth)


@router.post(
    "/delegated/names/{said_id}/forget",
    response=list[DelegatedName],
    operation_id="forgetDelegatedName",
    summary="Take back what one's own people said of two names",
)
def forget_name(request: Asked, said_id: str) -> Any:
    delegated_names.forget(request.auth, said_id)
    return delegated_names.listed(request.auth)
