"""Which format is this? Told from the content alone, then read once.

A reader is imported when its format is met, because one format is what most runs read.
Paths may be files or folders; a folder is read in sorted order, its symbolic links left alone. A
file named by the user that can't be read is an error; one found in a folder is listed in
`problems`, and the rest is read on.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from vedette.formats import exploited_in, vex_in
from vedette.formats.bounded import load
from vedette.formats.files import content_of, files_in, head_of
from vedette.formats.interface import (
    ADVISORY_FORMS,
    INVENTORY_FORMS,
    NONE_CHOSEN,
    PARTS,
    AdvisoryReader,
    InventoryReader,
    Spoken,
    Wanted,
)
from vedette.kernel.bounds import MIB
from vedette.kernel.errors import BadInput, VedetteError
from vedette.kernel.executor import in_order, processes
from vedette.matching.index import MAGIC, Index, open_index
from vedette.matching.model import Advisory, Exploited, Inventory, Statement

if TYPE_CHECKING:
    from vedette.matching.building import Prepared

MAX_ADVISORY = 16 * MIB
MAX_VEX = 64 * MIB
MAX_INVENTORY = 512 * MIB
PART = 500
# marks of UTF-8, UTF-16 and UTF-32, what else stands before the first letter, and its zero bytes
_BEFORE = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"
FEED_ENDINGS = (".json", "epss.csv")
YAML_ENDINGS = (".yaml", ".yml")
ADVISORY_ENDINGS = (*FEED_ENDINGS, *YAML_ENDINGS)
VEX_ENDINGS = (".json",)
INVENTORY_ENDINGS = (".csv", ".json", ".tsv", ".txt", ".xml")


@cache
def _plain_osv() -> Callable[[bytes, Wanted], Advisory | None]:
    from vedette.formats import osv_in

    return osv_in.read_plain


def advisory_reader(document: Any) -> AdvisoryReader | None:
    """Return the reader for a parsed advisory, None when it is none that we know."""
    if not isinstance(document, dict):
        return None
    if "cveMetadata" in document:
        from vedette.formats import cve_in

        return cve_in.read
    if isinstance(document.get("document"), dict):
        from vedette.formats import csaf_in

        return csaf_in.read
    if "id" in document and ("affected" in document or "modified" in document):
        from vedette.formats import osv_in

        return osv_in.read
    return None


def inventory_reader(document: Any) -> InventoryReader | None:
    """Return the reader for a parsed JSON inventory, None when it is none that we know."""
    if not isinstance(document, dict):
        return None
    if document.get("bomFormat") == "CycloneDX":
        from vedette.formats import cyclonedx_in

        return cyclonedx_in.read_json
    from vedette.formats import spdx_in

    if "spdxVersion" in document or "SPDXID" in document:
        return spdx_in.read_2
    if "@graph" in document or "spdx" in str(document.get("@context", "")):
        return spdx_in.read_3
    return None


def read_advisory(data: bytes, source: str, wanted: Wanted = None) -> Advisory:
    """Read one advisory (OSV, CSAF or CVE, as JSON). Raises BadInput."""
    document = load(data, source, MAX_ADVISORY)
    reader = advisory_reader(document)
    if reader is None:
        raise BadInput(
            f"{source}: neither an OSV, a CSAF nor a CVE record", next_step=ADVISORY_FORMS
        )
    return reader(document, source, wanted)


def read_inventory(
    data: bytes, name: str, columns: Mapping[str, str] = NONE_CHOSEN, spoken: Spoken = None
) -> Inventory:
    """Read one inventory: CycloneDX, SPDX, a package listing, asset CSV or a typed list.

    `columns` names the header of a field in an asset CSV, where the guess is to be overruled.
    With `spoken`, packages of which it says no may be left out. Raises BadInput.
    """
    if len(data) > MAX_INVENTORY:
        raise BadInput(
            f"{name}: {len(data):,} bytes, more than the {MAX_INVENTORY:,} allowed", next_step=PARTS
        )
    head = data[:64].lstrip(_BEFORE)
    if head.startswith((b"{", b"[")):
        if b'"CycloneDX"' in data:
            from vedette.formats import cyclonedx_in

            if (plain := cyclonedx_in.read_plain(data, name, spoken)) is not None:
                return plain
        document = load(data, name, MAX_INVENTORY)
        reader = inventory_reader(document)
        if reader is None:
            raise BadInput(
                f"{name}: neither a CycloneDX nor an SPDX document", next_step=INVENTORY_FORMS
            )
        return reader(document, name)
    if head.startswith(b"<"):
        from vedette.formats import cyclonedx_in

        return cyclonedx_in.read_xml(data, name)
    from vedette.formats import assets_in, listings_in, typed_in

    content = assets_in.decode(data, name)
    if content.startswith(("SPDXVersion:", "spdxVersion:", "bomFormat:")):
        raise BadInput(f"{name}: an SBOM as YAML or tag-value", next_step="export it as JSON")
    listing = listings_in.read(content, name)
    if listing is not None:
        return listing
    try:
        return assets_in.read_text(content, name, columns)
    except BadInput:
        if columns or not typed_in.looks_typed(content):
            raise
        return typed_in.read(content, name)


class AdvisoryPaths:
    """Advisories of files, folders and indexes; read anew at each call, one file at a time.

    VEX documents among them fill `statements`, KEV and EPSS `exploited`; both stay one object.
    `seen` is told every some hundred files how many were read.
    """

    def __init__(
        self, paths: Iterable[Path], seen: Callable[[int], object] = lambda files: None
    ) -> None:
        self.paths = list(paths)
        self._seen = seen
        self.problems: list[str] = []
        self.statements: list[Statement] = []
        self.exploited = Exploited()
        self.files = 0

    def sole_index(self) -> Index | None:
        """The index, where there is one path and it is an index, to be asked without reading it."""
        if len(self.paths) != 1 or self.paths[0].is_dir():
            return None
        file = str(self.paths[0])
        return open_index(self.paths[0]) if head_of(file, len(MAGIC)) == MAGIC else None

    def advisories(self, wanted: frozenset[str] | None = None) -> Iterator[Advisory]:
        """Yield the advisories; those without a wanted key may be left out or come bare."""
        self.problems, self.files = [], 0
        self.statements.clear()
        self.exploited.kev.clear()
        self.exploited.epss.clear()
        for path in self.paths:
            for file, found in files_in(path, ADVISORY_ENDINGS, self.problems):
                self.files += 1
                if self.files % PART == 0:
                    self._seen(self.files)
                try:
                    yield from self.of_file(file, wanted)
                except VedetteError as error:
                    if not found:
                        raise
                    self.problems.append(_aside(error))

    def of_file(self, file: str, wanted: frozenset[str] | None) -> Iterator[Advisory]:
        """Yield the advisories of one file. Raises BadInput."""
        if file.lower().endswith(".csv") and exploited_in.is_epss(head_of(file, 200)):
            self.exploited.epss.update(exploited_in.read_epss(content_of(file, MAX_VEX), file))
            return
        data = content_of(file, MAX_ADVISORY, but=MAGIC)
        if data is None:
            index = open_index(Path(file))
            yield from index if wanted is None else index.advisories(wanted)
            return
        if file.lower().endswith(YAML_ENDINGS):
            from vedette.formats import yaml_in

            yield yaml_in.read(data, file, wanted)
            return
        if b'"affected"' in data and (plain := _plain_osv()(data, wanted)) is not None:
            yield plain
            return
        document = load(data, file, MAX_ADVISORY)
        statements = vex_in.read(document, file)
        self.statements += statements or ()
        reader = advisory_reader(document)
        if reader is not None:
            yield reader(document, file, wanted)
        elif statements is None and not exploited_in.fill(self.exploited, document):
            raise BadInput(
                f"{file}: neither an OSV, a CSAF nor a CVE record", next_step=ADVISORY_FORMS
            )

    def prepared(self) -> Iterator[Prepared]:
        """Yield the advisories ready for an index; many files are read by several processes."""
        self.problems, self.files = [], 0
        found = (f for path in self.paths for f in files_in(path, ADVISORY_ENDINGS, self.problems))
        for part in _each_part(found):
            self.files += part.files
            self._seen(self.files)
            yield part.prepared
            self.problems += part.problems
            if part.error is not None:
                raise part.error


class _Part(NamedTuple):
    """What one process read of a part of the files."""

    files: int
    prepared: Prepared
    problems: list[str]
    error: VedetteError | None


def _each_part(files: Iterator[tuple[str, bool]]) -> Iterator[_Part]:
    parts = iter(lambda: list(islice(files, PART)), [])
    first = list(islice(parts, 4))
    if len(first) < 4 or (os.cpu_count() or 1) < 2:
        yield from map(_part, chain(first, parts))
        return
    yield from in_order(processes, _part, chain(first, parts))


def _part(files: list[tuple[str, bool]]) -> _Part:
    from vedette.matching.building import prepare

    problems: list[str] = []
    errors: list[VedetteError] = []
    prepared = prepare(_advisories(files, problems, errors))
    return _Part(len(files), prepared, problems, errors[0] if errors else None)


def _advisories(
    files: list[tuple[str, bool]], problems: list[str], errors: list[VedetteError]
) -> Iterator[Advisory]:
    """Yield the advisories of files up to the first named one that can't be read."""
    reader = AdvisoryPaths(())
    for file, found in files:
        try:
            yield from reader.of_file(file, None)
        except VedetteError as error:
            if not found:
                errors.append(error)
                return
            problems.append(_aside(error))
        if reader.statements or reader.exploited.kev or reader.exploited.epss:
            problems.append(
                f"{file}: VEX, KEV or EPSS, which no index keeps; give it to match, too"
            )
            reader = AdvisoryPaths(())


def content(path: Path) -> bytes:
    """The bytes of an inventory's file. Raises BadInput."""
    data: bytes = content_of(str(path), MAX_INVENTORY)
    return data


def read_statements(paths: Iterable[Path], problems: list[str]) -> list[Statement]:
    """Read files and folders of VEX; what was left aside goes to `problems`. Raises BadInput."""
    statements: list[Statement] = []
    for path in paths:
        for file, found in files_in(path, VEX_ENDINGS, problems):
            try:
                read = vex_in.read(load(content_of(file, MAX_VEX), file, MAX_VEX), file)
                if read is None:
                    raise BadInput(
                        f"{file}: neither OpenVEX, a CSAF VEX nor CycloneDX VEX",
                        next_step="give VEX in one of these forms, as JSON",
                    )
                statements += read
            except VedetteError as error:
                if not found:
                    raise
                problems.append(_aside(error))
    return statements


def inventory_files(paths: Iterable[Path | str], problems: list[str]) -> list[tuple[str, bool]]:
    """List inventory files, and whether a folder held each; what is left aside: `problems`."""
    return [each for path in paths for each in files_in(path, INVENTORY_ENDINGS, problems)]


def read_inventories(
    paths: Iterable[Path | str],
    problems: list[str],
    columns: Mapping[str, str] = NONE_CHOSEN,
) -> list[Inventory]:
    """Read files and folders of inventories; what was left aside goes to `problems`.

    `columns` as in `read_inventory`.
    """
    return read_inventory_files(inventory_files(paths, problems), problems, columns)


def read_inventory_files(
    files: Iterable[tuple[str, bool]],
    problems: list[str],
    columns: Mapping[str, str] = NONE_CHOSEN,
) -> list[Inventory]:
    """Read inventories; one that a folder held and that can't be read goes to `problems`."""
    read = inventories_of(files, problems, columns)
    return list({inventory.name: inventory for inventory in read}.values())


def inventories_of(
    files: Iterable[tuple[str, bool]],
    problems: list[str],
    columns: Mapping[str, str] = NONE_CHOSEN,
    spoken: Spoken = None,
) -> Iterator[Inventory]:
    """Yield the inventories one by one, as `read_inventory_files` does; the same file again too."""
    for file, found in files:
        try:
            inventory = read_inventory(content_of(file, MAX_INVENTORY), file, columns, spoken)
        except VedetteError as error:
            if not found:
                raise
            problems.append(_aside(error))
            continue
        problems.extend(f"{file}: {note}" for note in inventory.notes)
        yield inventory


def _aside(error: VedetteError) -> str:
    """Why a file that a folder held is left aside."""
    error.kept = error.kept or "the other files"
    return str(error)
