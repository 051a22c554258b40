"""The ports of the readers: one file per format, each parsing and checking its format once.

A reader takes the parsed document (or the bytes, where the format is no JSON) and the source's
name for errors, and raises `BadInput` naming the field. What it could read in spite of an odd
field it keeps; what it left aside it says.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Protocol

import msgspec

from vedette.kernel.errors import BadInput
from vedette.matching.model import Advisory, Inventory

# The keys that an inventory asks for; None asks for everything.
Wanted = Container[str] | None
# Whether advisories may speak of a package, by purl; others may be left out. None keeps all.
Spoken = Mapping[str, bool | None] | None
# What a document says of a component: id, name, version, purl, vendor, CPE; and whether another
# holds it, or None where it is one more reading of a component told before. Of one that is left out
# its id alone.
Said = tuple[str, str, str, str, str, str, bool | None] | str
# which column of an asset CSV is what, where nobody says
NONE_CHOSEN: Mapping[str, str] = MappingProxyType({})
# what to do next, where a file is none of these, or is too much for one
INVENTORY_FORMS = (
    "give CycloneDX (JSON or XML), SPDX as JSON, an asset CSV, a dpkg or rpm listing,"
    " or a typed list"
)
ADVISORY_FORMS = (
    "give OSV, CSAF or CVE records as JSON, OSV as YAML, each a file of its own, or an index"
)
PARTS = "cut it into several files: a site or a system each"


class AdvisoryReader(Protocol):
    """Reads one document into an advisory; affected products that nobody wants may be left out."""

    def __call__(self, document: Any, source: str, wanted: Wanted = None) -> Advisory: ...


class InventoryReader(Protocol):
    """Reads one document (JSON) or its bytes (XML, CSV) into an inventory named `name`."""

    def __call__(self, document: Any, name: str) -> Inventory: ...


MAX_TEXT = 4096
# a text that `text` would keep, but for space around it
Text = Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]


def text(value: Any) -> str:
    """Return `value` when it is text of a sane length, else "": an odd field harms no other."""
    return value.strip() if isinstance(value, str) and len(value) <= MAX_TEXT else ""


def texts(value: Any) -> tuple[str, ...]:
    """Return the texts of a list, "" and other types left out."""
    if not isinstance(value, list):
        return ()
    try:
        joined = "".join(value)
    except TypeError:
        joined = " "
    if len(joined) <= MAX_TEXT and all(value) and " " not in joined and joined.isprintable():
        return tuple(value)  # nothing to leave out: what is printable holds no other space
    return tuple(
        [
            plain
            for item in value
            if isinstance(item, str) and len(item) <= MAX_TEXT and (plain := item.strip())
        ]
    )


def objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list, other types left out."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def odd(value: Any, what: str) -> tuple[str, ...]:
    """A note on what `objects` leaves out of a value; none where it leaves out nothing."""
    if value is None:
        return ()
    if not isinstance(value, list):
        return (f"{what}: no list, so that nothing of it could be read",)
    left = len(value) - len(objects(value))
    return (f"{what}: {left:,} of {len(value):,} left aside, no objects",) if left else ()


def mapping(value: Any) -> dict[str, Any]:
    """Return an object, or an empty one for another type."""
    return value if isinstance(value, dict) else {}


def required(document: dict[str, Any], field: str, source: str) -> str:
    """Return a text that the format demands. Raises BadInput."""
    value = text(document.get(field))
    if not value:
        raise BadInput(
            f"{source}: {field} is missing or no text",
            next_step=f"write it: every record of this format has {field}",
        )
    return value
