"""Connections to what other parties run: no redirects, no proxy from the environment.

Whom a connection trusts is what this machine trusts (OpenSSL's default places, SSL_CERT_FILE).
"""

from __future__ import annotations

import ssl
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx


@cache
def trusted() -> ssl.SSLContext:
    """The roots of trust, read once a process: reading them costs more than a delivery."""
    return ssl.create_default_context()


def client(timeout: httpx.Timeout | float, limits: httpx.Limits | None = None) -> httpx.Client:
    """A client whose requests share connections; to be closed by who asked for it."""
    import httpx  # a quarter of a command's start, and most connect to nobody

    return httpx.Client(
        verify=trusted(),
        timeout=timeout,
        limits=limits or httpx.Limits(),
        follow_redirects=False,
        trust_env=False,
    )
