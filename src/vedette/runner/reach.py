"""Whether an endpoint's address takes a connection at all, asked before the first sample.

Nothing is sent, so that no call is made which the other side would count. A client that finds
nobody there tries again for a minute a sample; this says so within seconds.
"""

from __future__ import annotations

import socket
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

CONNECT_SECONDS = 5.0
PORTS = {"http": 80, "https": 443}


def unreachable(url: str) -> str:
    """Return why nobody can be reached at `url`, "" where somebody can or a proxy is between."""
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError as error:
        return str(error)
    if not (parts.hostname and port):
        return "it is no http or https address"
    if parts.scheme in getproxies() and not _is_direct(parts.hostname):
        return ""
    try:
        socket.create_connection((parts.hostname, port), CONNECT_SECONDS).close()
    except TimeoutError:
        return f"nothing answered within {CONNECT_SECONDS:.0f} s"
    except (OSError, UnicodeError) as error:
        return (getattr(error, "strerror", None) or str(error)).lower()
    return ""


def _is_direct(host: str) -> bool:
    return host == "localhost" or host.startswith("127.") or bool(proxy_bypass(host))
