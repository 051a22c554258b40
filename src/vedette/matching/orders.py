"""Order and catalog numbers that stand in a product's name or among its model numbers."""

from __future__ import annotations

import re
from functools import lru_cache

_CATALOG = re.compile(
    r"\b([0-9]{4}-[A-Z]{1,4}[0-9]{1,3}[A-Z]{0,4})(?![0-9A-Z-])(?:/| SERIES )?((?<=[/ ])[A-Z]\b)?"
)
SIEMENS = re.compile(
    r"\b[0-9][A-Z]{2}[0-9] ?[0-9]{3}-[0-9][0-9A-Z]{4}(?:-[0-9A-Z]{4})?(?![0-9A-Z-])"
)


@lru_cache(maxsize=1 << 16)
def order_numbers(text: str) -> tuple[str, ...]:
    """Return the order numbers (as 6GK5204-2BC10-2CA2) that stand in a product's name."""
    return tuple(found.replace(" ", "") for found in SIEMENS.findall(text.upper()))


@lru_cache(maxsize=1 << 16)
def catalog_numbers(text: str) -> tuple[tuple[str, str], ...]:
    """Return the catalog numbers (as 1756-EN2TR) in a name, each with its series, "" if unsaid."""
    return tuple((found[1], found[2] or "") for found in _CATALOG.finditer(text.upper()))
