"""CPE names as their attributes, and whether what one asks can be what another names.

Rules:
- Formatted strings (2.3) and URIs (2.2) are read, packed editions unfolded; case does not count.
- ANY (`*`) meets everything, NA (`-`) only itself and ANY; `*` and `?` inside a value that is asked
  for stand for any and for one character, unless quoted by a backslash.

Sources: NISTIR 7695 (binding) and 7696 (name matching).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import unquote

PART, VENDOR, PRODUCT, VERSION, UPDATE, EDITION = range(6)
_COUNT = 11
_COLON = re.compile(r"(?<!\\):")
_WILD = re.compile(r"(?<!\\)[*?]")
_WILDCARDS = {"*": ".*", "?": "."}
ANY = "*"
NONE = ("", "*", "-")


@lru_cache(maxsize=1 << 16)
def attributes(name: str) -> tuple[str, ...] | None:
    """Return part, vendor, product, version, update, edition, language, software edition, target
    software, target hardware and other of a name, still quoted; None when it is no CPE name.
    """
    if name[:8].lower() == "cpe:2.3:":
        parts = _COLON.split(name[8:].lower())
    elif name[:5].lower() == "cpe:/":
        parts = [_unbound(part) for part in name[5:].lower().split(":")]
        packed = parts[EDITION].split("~") if len(parts) > EDITION else []
        if len(packed) == 6:
            parts = [*parts[:EDITION], packed[1], *(parts[EDITION + 1 :] or [""]), *packed[2:]]
    else:
        return None
    filled = [part.strip() or ANY for part in parts[:_COUNT]]
    return tuple(filled + [ANY] * (_COUNT - len(filled)))


def _unbound(part: str) -> str:
    return unquote(part.replace("%01", "?").replace("%02", "*"))


def plain(value: str) -> str:
    """A value without its quoting."""
    return re.sub(r"\\(.)", r"\1", value)


def is_wild(value: str) -> bool:
    """Whether a value stands for several."""
    return bool(_WILD.search(value))


@lru_cache(maxsize=1 << 14)
def meets(asked: str, held: str) -> bool:
    """Whether a value that is asked for can be the one that is held."""
    if ANY in (asked, held):
        return True
    if is_wild(asked) and held != "-":
        cut = _WILD.split(asked)
        signs = [_WILDCARDS[sign] for sign in _WILD.findall(asked)]
        pattern = re.escape(plain(cut[0]))
        for sign, rest in zip(signs, cut[1:], strict=True):
            pattern += sign + re.escape(plain(rest))
        return bool(re.fullmatch(pattern, plain(held), re.DOTALL))
    return plain(asked) == plain(held)


@lru_cache(maxsize=1 << 14)
def contradict(stated: tuple[str, ...], own: str) -> bool:
    """Whether every stated name of the own name's vendor and product means another edition of it.

    Language, software edition, target software and hardware count like the edition; versions are
    decided elsewhere.
    """
    held = attributes(own)
    if held is None:
        return False
    named = [a for a in map(attributes, stated) if a and _pairs(a[VENDOR:VERSION], held[VENDOR:])]
    return bool(named) and not any(_pairs(a[EDITION:], held[EDITION:]) for a in named)


def _pairs(asked: Iterable[str], held: Iterable[str]) -> bool:
    return all(meets(one, other) for one, other in zip(asked, held, strict=False))
