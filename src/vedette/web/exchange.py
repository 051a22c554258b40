"""Where other instances hand in their messages. The signature is the only credential."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from vedette.exchange.envelope import BOUNDS
from vedette.exchange.fields import CHUNK
from vedette.kernel.bounds import MIB
from vedette.services import attachments, catalogue, transfers
from vedette.services.inbox import TOO_LARGE as TOO_LARGE_WORDS
from vedette.services.inbox import Receipt, receive, receive_all

# what arrives is handled by functions that are registered as their modules are imported
HANDLERS = catalogue.__all__
BATCH_BYTES, BATCH_COUNT = 24 * MIB, 1_000
STATUS = {"accepted": 202, "already": 200, "refused": 422}


TOO_LARGE = {"status": "refused", "reason": "malformed", "detail": TOO_LARGE_WORDS}


@csrf_exempt
@require_POST
def inbox(request: HttpRequest) -> JsonResponse:
    """Take one DSSE envelope: 202 accepted, 200 taken before, 422 refused with the reason."""
    if _too_large(request, BOUNDS.size):
        return JsonResponse(TOO_LARGE, status=413)
    receipt = receive(request.body)
    return JsonResponse(_told(receipt), status=STATUS[receipt.status])


@csrf_exempt
@require_POST
def batch(request: HttpRequest) -> JsonResponse:
    """Take envelopes, one a line: 200 with a receipt for each, in their order."""
    if _too_large(request, BATCH_BYTES):
        return JsonResponse(TOO_LARGE, status=413)
    lines = [line for line in request.body.split(b"\n") if line.strip()]
    if len(lines) > BATCH_COUNT:
        detail = f"{len(lines):,} messages at once, at most {BATCH_COUNT:,}"
        return JsonResponse({**TOO_LARGE, "detail": detail}, status=413)
    return JsonResponse({"receipts": [_told(each) for each in receive_all(lines)]})


@require_GET
def attachment(request: HttpRequest, attachment_id: str) -> JsonResponse:
    """What a file's sender may know: its state, and which chunks are missing."""
    return JsonResponse(attachments.state_of(attachment_id))


@csrf_exempt
@require_http_methods(["PUT"])
def chunk(request: HttpRequest, attachment_id: str, number: int) -> JsonResponse:
    """Take one chunk: 200 kept, 404 not named yet, 409 refused, 400 other bytes than signed."""
    if _too_large(request, transfers.LARGEST):
        return JsonResponse({"detail": f"a chunk has at most {CHUNK:,} bytes"}, status=413)
    sealed = transfers.SEALED in request.headers
    attachments.take_chunk(attachment_id, number, request.body, sealed=sealed)
    return JsonResponse({"detail": "kept"})


def _too_large(request: HttpRequest, limit: int) -> bool:
    length = request.headers.get("Content-Length", "")
    return length.isdecimal() and int(length) > limit


def _told(receipt: Receipt) -> dict[str, str]:
    return {"status": receipt.status, "reason": receipt.reason, "detail": receipt.detail}
