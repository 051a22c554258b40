"""How much one request may bring, judged by its own word before anything reads its body.

Rules:
- A program's request, a form, and whatever a stranger sends, is small: it is read into memory.
- A signed-in person's form may bring files, which go to the disk of this instance as they come:
  on the pages that send files to a peer as large as one attachment may be, on others smaller.
- What is more gets one plain answer. Its body is read to its end first and dropped, piece by piece,
  because who is still sending hears no answer; of a really large one only the beginning is.
"""

from __future__ import annotations

import re
from contextlib import suppress

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from vedette.kernel.bounds import MIB
from vedette.kernel.errors import VedetteError
from vedette.kernel.permissions import Profile
from vedette.services.here import here
from vedette.web.middleware import Next, plain

# these judge what they take by themselves
OWN = ("/exchange/", "/proxy/")
SENDS_FILES = re.compile(r"/attachments/send/|/acts/offer/[^/]+/[^/]+/|/acts/[^/]+/again/")
REPORTS = "/findings/report/"
WITH_FILES = 80 * MIB
FORM = 4 * MIB
DROPPED, PIECE = 1024 * MIB, 64 * 1024


class TooLarge(VedetteError):
    """More than this address takes in one request."""

    status = 413
    title = "too large"


class Ceiling:
    """Answers a request that is too large before its body is read by anybody."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        told = request.headers.get("Content-Length", "")
        size = int(told) if told.isdecimal() else 0
        if size <= FORM or request.path.startswith(OWN):
            return self.get_response(request)
        most = ceiling(request)
        if size <= most:
            return self.get_response(request)
        _drop(request, size)
        return plain(
            request,
            TooLarge(
                f"request: {size:,} bytes, and this address takes at most {most:,}",
                kept="nothing of it",
                next_step=f"a page takes up to {WITH_FILES:,}; a larger inventory is cut into"
                " several, and a larger file for a peer goes by the page Files or exchange attach",
            ),
        )


def ceiling(request: HttpRequest) -> int:
    """The most bytes that this request may have."""
    memory = int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
    if request.content_type != "multipart/form-data" or request.path.startswith("/api/"):
        return memory
    if not request.user.is_authenticated:
        return memory
    sends = SENDS_FILES.fullmatch(request.path) or (
        request.path == REPORTS and here().profile != Profile.CLEARINGHOUSE
    )
    return here().attachment_limit + FORM if sends else WITH_FILES


def _drop(request: HttpRequest, size: int) -> None:
    left = min(size, DROPPED)
    with suppress(OSError):  # who sends it may have gone
        while left > 0 and (piece := request.read(min(left, PIECE))):
            left -= len(piece)
