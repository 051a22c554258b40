"""The least that takes messages for good: each POST is one row, committed through to the disk."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterable
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer


def serve(port: int, file: str) -> None:
    database = sqlite3.connect(file, isolation_level=None)
    database.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE message (body BLOB)")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            database.execute("INSERT INTO message VALUES (?)", (body,))
            self.do_GET()

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    HTTPServer(("127.0.0.1", port), Handler).serve_forever()


def post(port: int, bodies: Iterable[bytes]) -> None:
    """Hand in each over one connection, one after the other."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    for body in bodies:
        connection.request("POST", "/", body)
        connection.getresponse().read()
    connection.close()


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2])
