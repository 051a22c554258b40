"""Download over HTTP into a feed folder: conditional, resumed, bounded, checked.

Rules:
- What did not change since (ETag, Last-Modified) is not sent again.
- A download that broke off goes on where it stopped, if the server still has the same file.
- Redirects and links lead to http and https only; from https never back to http, and to other
  hosts by https alone.
- Where a digest lies beside a file (`.sha512`, `.sha256`), the file must agree with it.
"""

from __future__ import annotations

import hashlib
import http.client
import re
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from vedette import __version__
from vedette.formats.feeds.folder import FeedFolder
from vedette.kernel.errors import BadInput

MAX_DOWNLOAD = 8 * 1024**3
MAX_SMALL = 64 * 1024**2
TRIES = 3
WAIT = 60.0
CHUNK = 1 << 20
_SMALLER = "name a smaller feed of the same publisher"
_AGAIN = "run it again; where it stays so, ask the publisher"
_RANGE = re.compile(r"bytes (?:([0-9]+)-[0-9]+|\*)/([0-9]+|\*)")
_DIGEST = re.compile(r"\s*([0-9a-fA-F]{64}|[0-9a-fA-F]{128})\b")


class NotThere(BadInput):
    """The server has no such file (404, 410)."""


class _Redirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: Any
    ) -> Any:
        check_link(req.full_url, newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


_OPENER = urllib.request.build_opener(_Redirects)


def check_link(source: str, url: str) -> None:
    """Raise BadInput where a link or redirect leads to what it should not."""
    here, there = urlsplit(source), urlsplit(url)
    same = (here.scheme, here.netloc) == (there.scheme, there.netloc)
    if not there.hostname or not (same or there.scheme == "https"):
        raise BadInput(
            f"{source[:200]}: leads to {url[:200]!r}, which is not followed",
            next_step="give the address that it leads to, if you trust it",
        )


def link(source: str, reference: str) -> str:
    """The address that `reference` means in `source`. Raises BadInput."""
    url = urljoin(source, reference)
    check_link(source, url)
    return url


def download(folder: FeedFolder, url: str, known: dict[str, str]) -> Path | None:
    """Return the downloaded file, None where it is still the `known` one; updates `known`.

    The file stays the folder's part until `forget_part`. Raises BadInput.
    """
    for attempt in range(1, TRIES + 1):
        try:
            return _once(folder, url, known)
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, urllib.error.HTTPError) or attempt == TRIES:
                raise _plain(url, error) from None
    raise AssertionError


def _plain(url: str, error: Exception) -> BadInput:
    if isinstance(error, urllib.error.HTTPError):
        kind = NotThere if error.code in (404, 410) else BadInput
        return kind(
            f"{url}: the server answered {error.code}",
            next_step="see that the address is right, or run it again later",
        )
    reason = getattr(error, "reason", None) or error
    return BadInput(f"{url}: can't be reached or broke off ({reason})", next_step="run it again")


def _once(folder: FeedFolder, url: str, known: dict[str, str]) -> Path | None:
    part = folder.part(url)
    begun = folder.state["parts"].get(url, "")
    size = part.stat().st_size if begun and part.is_file() else 0
    headers = {"User-Agent": f"vedette/{__version__}", "Accept-Encoding": "identity"}
    headers |= {"If-None-Match": known["etag"]} if known.get("etag") else {}
    headers |= {"If-Modified-Since": known["modified"]} if known.get("modified") else {}
    if size:
        headers |= {"Range": f"bytes={size}-", "If-Range": begun}
    try:
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 (checked by callers)
        with _OPENER.open(request, timeout=WAIT) as answer:
            _collect(folder, url, part, size, answer)
            fresh = {
                "etag": answer.headers.get("ETag"),
                "modified": answer.headers.get("Last-Modified"),
            }
    except urllib.error.HTTPError as error:
        if error.code == 304:
            folder.forget_part(url)
            return None
        whole = _RANGE.fullmatch(error.headers.get("Content-Range") or "")
        if error.code != 416 or not size:
            raise
        if not whole or whole[2] != str(size):
            folder.forget_part(url)
            return _once(folder, url, known)
        fresh = {"etag": begun if begun[:1] in '"W' else None, "modified": None}
    known.clear()
    known.update({name: value for name, value in fresh.items() if value})
    return part


def _collect(folder: FeedFolder, url: str, part: Path, size: int, answer: Any) -> None:
    span = _RANGE.fullmatch(answer.headers.get("Content-Range") or "")
    go_on = answer.status == 206 and bool(span and span[1] == str(size))
    if answer.status == 206 and not go_on:
        folder.forget_part(url)
        raise OSError("the server resumed at another place")
    etag = answer.headers.get("ETag") or ""
    validator = "" if etag.startswith("W/") else etag
    validator = validator or answer.headers.get("Last-Modified") or ""
    if not go_on:
        size = 0
        part.unlink(missing_ok=True)
        folder.state["parts"][url] = validator
        folder.save()
    length = answer.headers.get("Content-Length")
    total = size + int(length) if length and length.isdecimal() else None
    if total is not None and total > MAX_DOWNLOAD:
        raise BadInput(
            f"{url}: {total:,} bytes, more than the {MAX_DOWNLOAD:,} allowed", next_step=_SMALLER
        )
    with part.open("ab") as file:
        while data := answer.read(CHUNK):
            size += len(data)
            if size > MAX_DOWNLOAD:
                raise BadInput(
                    f"{url}: more than the {MAX_DOWNLOAD:,} bytes allowed", next_step=_SMALLER
                )
            file.write(data)
    if total is not None and size < total:
        raise OSError(f"{size:,} of {total:,} bytes")


def small(folder: FeedFolder, url: str, limit: int = MAX_SMALL) -> bytes:
    """Return a file that fits in memory. Raises BadInput."""
    part = download(folder, url, {})
    assert part is not None
    try:
        if part.stat().st_size > limit:
            raise BadInput(
                f"{url}: {part.stat().st_size:,} bytes, more than the {limit:,} allowed",
                next_step=_SMALLER,
            )
        return part.read_bytes()
    finally:
        folder.forget_part(url)


def check_digest(folder: FeedFolder, url: str, file: Path, beside: Iterable[str] = ()) -> bool:
    """Compare a file with the digest beside it; False where none is. Raises BadInput."""
    for address in beside or (f"{url}.sha512", f"{url}.sha256"):
        try:
            stated = small(folder, address, 1 << 16).decode("ascii", "replace")
        except NotThere:
            continue
        compare_digest(url, file, stated)
        return True
    return False


def compare_digest(name: str, file: Path, stated: str) -> None:
    """Raise BadInput unless the file has the digest that the first word of `stated` is."""
    found = _DIGEST.match(stated)
    if found is None:
        raise BadInput(f"{name}: the digest beside it can't be read", next_step=_AGAIN)
    with file.open("rb") as content:
        kind = "sha256" if len(found[1]) == 64 else "sha512"
        digest = hashlib.file_digest(content, kind).hexdigest()
    if digest != found[1].lower():
        raise BadInput(
            f"{name}: content and digest differ", kept="what was there before", next_step=_AGAIN
        )
