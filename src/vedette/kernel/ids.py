"""Random public ids: they carry neither time nor order."""

from __future__ import annotations

import secrets

ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"


def new_id(prefix: str) -> str:
    """Return `prefix-` and 16 random characters (78 bits), e.g. `case-7k2m9x4qwb3n8rtz`."""
    return f"{prefix}-" + "".join(secrets.choice(ALPHABET) for _ in range(16))
