"""The addresses of a lab's endpoint that may be connected to just now."""

from __future__ import annotations

import socket

from vedette.engagement.targets import Reach, acceptable


def accepted(reach: Reach, host: str, port: int) -> list[str]:
    """Resolve `host` and keep what its endpoint may lead to. Raises OSError where it can't be."""
    rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    found = dict.fromkeys(str(row[4][0]) for row in rows)
    return [address for address in found if acceptable(reach, host, address)]
