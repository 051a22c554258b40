"""CycloneDX XML: components and vulnerabilities collected while the parser goes by."""

from __future__ import annotations

from typing import Any

from vedette.formats.interface import INVENTORY_FORMS, PARTS, text
from vedette.kernel.bounds import FLATTER
from vedette.kernel.errors import BadInput

MAX_COMPONENTS = 1_000_000
MAX_XML_DEPTH = 200
MAX_XML_TEXT = 4096
NESTED = "nested"

_FIELDS = ("group", "name", "version", "purl", "cpe", "vendor")
_COMPONENTS = (["bom", "components"], ["bom", "metadata"])
_VULNERABILITIES = ["bom", "vulnerabilities", "vulnerability"]


class CycloneDXReader:
    """The handlers of an expat parser that knows namespaces (separator: a space).

    `rows` are the components, `described` says whether the first is what the document describes,
    `document` holds the other fields read, as the JSON form has them.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows: list[dict[str, str]] = []
        self.described = False
        self.document: dict[str, Any] = {"metadata": {}, "vulnerabilities": []}
        self._namespace = ""
        self._path: list[str] = []
        self._open: list[tuple[dict[str, str], int]] = []
        self._text: list[str] = []

    def doctype(self, *_: object) -> None:
        raise BadInput(
            f"{self.name}: XML with a document type or entities is not read",
            next_step="export it without: CycloneDX has neither, and entities can grow without end",
        )

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        namespace, _, local = tag.rpartition(" ")
        if not self._path:
            if local != "bom" or "cyclonedx.org/schema/bom" not in namespace:
                raise BadInput(
                    f"{self.name}: neither a CycloneDX XML document nor another inventory",
                    next_step=INVENTORY_FORMS,
                )
            self._namespace = namespace
            version = attributes.get("version", "1")
            self.document["serialNumber"] = attributes.get("serialNumber", "")
            self.document["version"] = int(version) if version.isdecimal() else 1
        elif namespace != self._namespace:
            local = tag  # an extension's, whatever its name is
        if len(self._path) >= MAX_XML_DEPTH:
            raise BadInput(f"{self.name}: nested deeper than {MAX_XML_DEPTH}", next_step=FLATTER)
        if local == "component" and self._is_listed():
            self._begin(text(attributes.get("bom-ref")))
        self._path.append(local)
        if self._path[:3] == _VULNERABILITIES:
            self._begin_part(self._path[3:])
        self._text.clear()

    def _is_listed(self) -> bool:
        """Whether a component here is part of the inventory, and not only mentioned."""
        if self._open:
            return self._path[-1] == "components" and len(self._path) == self._open[-1][1] + 1
        return self._path in _COMPONENTS

    def _begin(self, reference: str) -> None:
        if len(self.rows) >= MAX_COMPONENTS:
            raise BadInput(f"{self.name}: more than {MAX_COMPONENTS:,} components", next_step=PARTS)
        row = {"id": reference} | dict.fromkeys(_FIELDS, "")
        row[NESTED] = "yes" if self._open else ""
        if self._path == ["bom", "metadata"]:
            self.described = True
            self.rows.insert(0, row)
        else:
            self.rows.append(row)
        self._open.append((row, len(self._path) + 1))

    def _begin_part(self, inner: list[str]) -> None:
        if not inner:
            fresh: dict[str, Any] = {"references": [], "analysis": {}, "affects": []}
            self.document["vulnerabilities"].append(fresh)
        elif inner == ["affects", "target"]:
            self._vulnerability["affects"].append({"versions": []})
        elif inner == ["affects", "target", "versions", "version"]:
            self._vulnerability["affects"][-1]["versions"].append({})

    @property
    def _vulnerability(self) -> dict[str, Any]:
        found: dict[str, Any] = self.document["vulnerabilities"][-1]
        return found

    def characters(self, data: str) -> None:
        if sum(map(len, self._text)) < MAX_XML_TEXT:
            self._text.append(data)

    def end(self, tag: str) -> None:
        local = self._path.pop()
        value = text("".join(self._text))
        self._text.clear()
        if self._open and len(self._path) + 1 == self._open[-1][1]:
            row, _ = self._open.pop()
            group = row.pop("group")
            row["name"] = "/".join(filter(None, (group, row["name"])))
        elif self._open and value:
            self._take(local, value)
        elif value and self._path[:3] == _VULNERABILITIES:
            self._take_part(self._path[3:], local, value)
        elif value and self._path == ["bom", "metadata"] and local == "timestamp":
            self.document["metadata"]["timestamp"] = value

    def _take(self, local: str, value: str) -> None:
        row, depth = self._open[-1]
        own, below = len(self._path) == depth, len(self._path) == depth + 1
        if own and local in ("group", "name", "version", "purl", "cpe"):
            row[local] = value
        elif (own and local == "publisher") or (
            below and self._path[-1] in ("manufacturer", "supplier") and local == "name"
        ):
            row["vendor"] = row["vendor"] or value

    def _take_part(self, inner: list[str], local: str, value: str) -> None:
        row = self._vulnerability
        if not inner and local in ("id", "updated"):
            row[local] = value
        elif inner == ["references", "reference"] and local == "id":
            row["references"].append({"id": value})
        elif inner == ["analysis"]:
            row["analysis"][local] = value
        elif inner == ["affects", "target"] and local == "ref":
            row["affects"][-1]["ref"] = value
        elif inner == ["affects", "target", "versions", "version"]:
            row["affects"][-1]["versions"][-1][local] = value
