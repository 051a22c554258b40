"""Where other instances hand in their messages. The signature is the only credential."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from vedette.exchange.envelope import BOUNDS
from vedette.services import catalogue
from vedette.services.inbox import receive

# what arrives is handled by functions that are registered as their modules are imported
HANDLERS = catalogue.__all__
STATUS = {"accepted": 202, "already": 200, "refused": 422}


@csrf_exempt
@require_POST
def inbox(request: HttpRequest) -> JsonResponse:
    """Take one DSSE envelope: 202 accepted, 200 taken before, 422 refused with the reason."""
    length = request.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) > BOUNDS.size:
        return JsonResponse(
            {"status": "refused", "reason": "malformed", "detail": "too large"}, status=413
        )
    receipt = receive(request.body)
    return JsonResponse(
        {"status": receipt.status, "reason": receipt.reason, "detail": receipt.detail},
        status=STATUS[receipt.status],
    )
