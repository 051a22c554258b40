"""Where operators' instances ask in private. The signature is the only credential."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from vedette.exchange.private_question import MAX_QUESTION
from vedette.kernel.errors import NotFound
from vedette.services import private_matching


@csrf_exempt
@require_POST
def ask(request: HttpRequest) -> HttpResponse:
    """Answer one signed question: 200 sealed bytes, 404 to everybody without early warning."""
    length = request.headers.get("Content-Length", "")
    if not length.isdecimal() or int(length) > MAX_QUESTION:
        raise NotFound("no such thing here")
    answer = private_matching.answer(request.body)
    headers = {"Cache-Control": "no-store"}
    return HttpResponse(answer, content_type="application/octet-stream", headers=headers)
