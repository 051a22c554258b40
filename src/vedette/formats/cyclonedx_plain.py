"""CycloneDX JSON as most is written: the fields that count, parsed into place and nothing else.

A document with an odd field or with VEX is none of these; `cyclonedx_in` then reads it field by
field. What both read they read alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

import msgspec

from vedette.formats.bounded import into
from vedette.formats.interface import Said, Spoken, Text
from vedette.kernel.bounds import FLATTER, MIB
from vedette.kernel.errors import BadInput

MAX_NESTING = 100
_MOST = 512 * MIB
_None = Annotated[list[object], msgspec.Meta(max_length=0)]


class _Owner(msgspec.Struct):
    name: Text = ""


class _Row(msgspec.Struct, rename={"reference": "bom-ref"}, gc=False):
    reference: Text = ""
    group: Text = ""
    name: Text = ""
    version: Text = ""
    purl: Text = ""
    cpe: Text = ""
    manufacturer: _Owner | None = None
    supplier: _Owner | None = None
    publisher: Text = ""
    components: tuple[_Row, ...] = ()

    @property
    def vendor(self) -> str:
        owners = (self.manufacturer, self.supplier)
        names = [owner.name.strip() for owner in owners if owner]
        return next(filter(None, (*names, self.publisher.strip())), "")


class _Described(msgspec.Struct):
    component: _Row | None = None


class Plain(msgspec.Struct):
    """A plain document."""

    bomFormat: Literal["CycloneDX"]
    metadata: _Described = msgspec.field(default_factory=_Described)
    components: list[_Row] = []
    vulnerabilities: _None = []
    serialNumber: Text = ""
    version: int = 1

    def rows(self, name: str, spoken: Spoken = None) -> Iterator[Said]:
        """Yield what is said of each component. Raises BadInput."""
        described = self.metadata.component
        if described:
            yield from _flat((described,), name, 1)
        yield from _flat(self.components, name, 1, spoken)


def _flat(rows: Sequence[_Row], name: str, depth: int, spoken: Spoken = None) -> Iterator[Said]:
    """Yield what is said of each component; for most of which no advisory speaks the id will do."""
    if rows and depth > MAX_NESTING:
        raise BadInput(f"{name}: components nested deeper than {MAX_NESTING}", next_step=FLATTER)
    for row in rows:
        if (
            spoken is not None
            and spoken[row.purl] is False
            and row.reference.strip()
            and row.version.strip()
            and not (row.components or row.cpe or row.supplier or row.manufacturer or row.publisher)
        ):
            yield row.reference.strip()
            continue
        group, last = row.group.strip(), row.name.strip()
        vendor = row.vendor if row.supplier or row.manufacturer or row.publisher else ""
        whole = f"{group}/{last}" if group and last else group or last
        said = (row.reference.strip(), whole, row.version.strip(), row.purl.strip())
        yield *said, vendor, row.cpe.strip(), depth > 1
        if row.components:
            yield from _flat(row.components, name, depth + 1)


_DECODER = msgspec.json.Decoder(Plain)


def read(data: bytes) -> Plain | None:
    """Parse a document, None where it is no plain one."""
    document = into(_DECODER, data, _MOST)
    return None if document is None or document.metadata.component == _Row() else document
