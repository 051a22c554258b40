"""OSV records as YAML, the form in which some databases keep them.

Rules:
- Every scalar is text: a version 1.10 is no number, a time no date; what is null is left out.
- Aliases are refused, and what is nested too deep: both can make a small file a large document.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from vedette.formats.bounded import MAX_DEPTH
from vedette.formats.interface import ADVISORY_FORMS, Wanted
from vedette.kernel.bounds import FLATTER
from vedette.kernel.errors import BadInput
from vedette.matching.model import Advisory

_NULL = ("", "null", "~")
_FEW = 100
# what a record without aliases and deep nesting has none of
_ODD = re.compile(rb"(?m)^ {100}|(?:[-?:]\s+){40}|(?:^|[\s\[{,])[&*][^\s,\]}]")
_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


def read(data: bytes, source: str, wanted: Wanted = None) -> Advisory:
    """Read one record. Raises BadInput."""
    from vedette.formats import osv_in

    document = load(data, source)
    if not isinstance(document, dict) or not {"affected", "modified"} & document.keys():
        raise BadInput(f"{source}: no OSV record", next_step=ADVISORY_FORMS)
    stated = {name: value for name, value in document.items() if value not in _NULL}
    return osv_in.read(stated, source, wanted)


def load(data: bytes, source: str) -> Any:
    """Parse YAML into lists, mappings and texts. Raises BadInput naming `source`."""
    try:
        if _ODD.search(data) or data.count(b"[") + data.count(b"{") > _FEW:
            _check(data, source)
        return yaml.load(data, _LOADER)  # noqa: S506 (the base loader makes texts alone)
    except (yaml.YAMLError, ValueError) as error:
        why = " ".join(str(error).split())[:200]
        raise BadInput(
            f"{source}: not YAML ({why})", next_step="see that it is whole and not cut short"
        ) from None


def _check(data: bytes, source: str) -> None:
    """Walk through a document without making it."""
    depth = 0
    for event in yaml.parse(data, _LOADER):
        if isinstance(event, yaml.AliasEvent):
            raise BadInput(
                f"{source}: YAML with aliases", next_step="write in full what they stand for"
            )
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise BadInput(f"{source}: nested deeper than {MAX_DEPTH}", next_step=FLATTER)
