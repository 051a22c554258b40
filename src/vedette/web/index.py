"""The signed index of advisories over HTTP: public, without sign-in.

Whoever pulls it checks the statement's signature and the content's digest, so caches on the way
need no trust; the content of a digest never changes.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from vedette.services import index


@require_safe
def latest(request: HttpRequest) -> JsonResponse:
    """The newest index's statement in its DSSE envelope."""
    return JsonResponse(index.latest(), headers={"Cache-Control": "no-cache"})


@require_safe
def content(request: HttpRequest, digest: str) -> HttpResponseBase:
    """An index by its digest, for ever the same bytes; with `since`, what changed from that one."""
    since = request.GET.get("since", "")
    tag = f'"{digest}{since[:80]}"'
    headers = {"ETag": tag, "Cache-Control": "public, max-age=31536000, immutable"}
    data = index.changes(digest, since) if since else index.content(digest)
    if tag in request.headers.get("If-None-Match", ""):
        return HttpResponseNotModified(headers=headers)
    return HttpResponse(data, content_type="application/octet-stream", headers=headers)
