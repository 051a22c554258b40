"""A server of feeds on loopback, and what it serves."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Feed(ThreadingHTTPServer):
    """Serves `files` with ETag and ranges; `cut` breaks the next answer of a path off."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.cut: dict[str, int] = {}
        self.asked: list[tuple[str, str, int]] = []
        self.redirect = ""
        super().__init__(("127.0.0.1", 0), Answer)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answer(BaseHTTPRequestHandler):
    server: Feed

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        data = self.server.files.get(self.path)
        span = self.headers.get("Range", "")
        if self.path == "/moved":
            self._say(302, b"", {"Location": self.server.redirect})
        elif data is None:
            self._say(404, b"")
        else:
            etag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
            start = int(span[6:-1]) if span and self.headers.get("If-Range") == etag else 0
            if self.headers.get("If-None-Match") == etag:
                self._say(304, b"")
            elif start >= len(data) > 0 and start:
                self._say(416, b"", {"Content-Range": f"bytes */{len(data)}"})
            elif start:
                place = f"bytes {start}-{len(data) - 1}/{len(data)}"
                self._say(206, data[start:], {"ETag": etag, "Content-Range": place})
            else:
                self._say(200, data, {"ETag": etag})

    def _say(self, code: int, data: bytes, headers: dict[str, str] | None = None) -> None:
        kept = self.server.cut.pop(self.path, len(data))
        self.server.asked.append((self.path, str(code), min(kept, len(data))))
        self.send_response(code)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[:kept])
        self.close_connection = True


def osv(name: str, fixed: str = "2.0") -> bytes:
    events = [{"introduced": "0"}, {"fixed": fixed}]
    affected = {
        "package": {"ecosystem": "PyPI", "name": "foo"},
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
    }
    record = {"id": name, "modified": "2026-01-01T00:00:00Z", "affected": [affected]}
    return json.dumps(record).encode()


def zipped(**records: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in records.items():
            archive.writestr(f"deep/{name}.json", data)
    return buffer.getvalue()
