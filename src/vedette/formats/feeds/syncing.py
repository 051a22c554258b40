"""Bring sources into a feed folder: files, folders, archives, CSAF providers, ROLIE feeds.

Rules:
- A record that can't be read is listed, and an earlier one under its name stays; the rest goes on.
- What a source no longer has stays here: advisories are withdrawn by a record, not by absence.
- A source that can't be reached is listed, and the others go on.
- A path is remembered from the root on, wherever the next run stands.
- Of a CSAF provider only documents that changed are fetched: by `updated` of its ROLIE feeds, else
  by `changes.csv`, else each of `index.txt` once by its ETag.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from vedette import __version__
from vedette.formats.bounded import load
from vedette.formats.feeds import records
from vedette.formats.feeds.fetching import (
    MAX_SMALL,
    NotThere,
    check_digest,
    compare_digest,
    download,
    link,
    small,
)
from vedette.formats.feeds.folder import OWN, FeedFolder
from vedette.formats.interface import mapping, objects, text
from vedette.kernel.errors import BadInput

KEPT_PROBLEMS = 1_000
SAVED_EVERY = 100
ENDINGS = (".json", ".csv", ".csv.gz", ".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz")

Progress = Callable[[int, int, str], None]


@dataclass
class Report:
    """What one source gave: records `written` anew or changed, `unchanged`, and `broken`."""

    source: str
    reached: bool = True
    checked: int = 0
    written: int = 0
    unchanged: int = 0
    broken: int = 0
    problems: list[str] = field(default_factory=list)

    def tell(self, problem: str) -> None:
        if len(self.problems) < KEPT_PROBLEMS:
            self.problems.append(problem)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def sync(folder: FeedFolder, source: str, progress: Progress = lambda *_: None) -> Report:
    """Bring one source up to date. Never raises for what the source does."""
    if "://" not in source:
        source = str(Path(source).absolute())
    report = Report(source)
    try:
        scheme = urlsplit(source).scheme
        if scheme in ("http", "https"):
            _Remote(folder, report, progress).run()
        elif "://" in source:
            raise BadInput(
                f"{source}: {scheme} is not read", next_step="give http, https or a path"
            )
        else:
            _local(folder, report, Path(source), progress)
    except BadInput as error:
        report.reached = False
        report.tell(str(error))
    folder.save()
    return report


def _take(folder: FeedFolder, report: Report, path: Path, name: str) -> None:
    """Put the records of a file into the folder."""
    for record, data in records.of_file(path, name):
        if isinstance(data, BadInput):
            report.broken += 1
            report.tell(str(data))
        elif folder.has(report.source, record, data):
            report.unchanged += 1
        else:
            try:
                records.check(data, record)
            except BadInput as error:
                report.broken += 1
                report.tell(str(error))
                continue
            folder.put(report.source, record, data)
            report.written += 1


def _local(folder: FeedFolder, report: Report, path: Path, progress: Progress) -> None:
    if not path.exists():
        raise BadInput(f"{path}: no such file or folder", next_step="see how its name is written")
    known = folder.source(report.source).setdefault("files", {})
    files = list(_files(path))
    if not files:
        report.broken += 1
        report.tell(f"{path}: no file that ends in {', '.join(ENDINGS)}")
    for number, file in enumerate(files, 1):
        progress(number, len(files), file.name)
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        if known.get(str(file)) == digest:
            report.unchanged += 1
            continue
        broken = report.broken
        try:
            beside = Path(f"{file}.sha256")
            if beside.is_file():
                compare_digest(str(file), file, beside.read_text("ascii", "replace"))
                report.checked += 1
            name = str(file.relative_to(path)) if path.is_dir() else file.name
            _take(folder, report, file, name)
        except BadInput as error:
            report.broken += 1
            report.tell(str(error))
        if report.broken == broken:
            known[str(file)] = digest
        if number % SAVED_EVERY == 0:
            folder.save()


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for file in sorted(path.rglob("*")):
        if OWN not in file.parts and file.is_file() and file.name.lower().endswith(ENDINGS):
            yield file


class _Remote:
    """One source over HTTP."""

    def __init__(self, folder: FeedFolder, report: Report, progress: Progress) -> None:
        self.folder, self.report, self.progress = folder, report, progress
        self.known = folder.source(report.source)
        self.documents: dict[str, str] = self.known.setdefault("documents", {})

    def run(self) -> None:
        url = self.report.source
        name = urlsplit(url).path.rsplit("/", 1)[-1]
        if name in ("", "index.txt", "changes.csv"):
            self._directory(url)
            return
        # another version may read what this one could not
        same = self.known.get("reader") == __version__
        validators = dict(self.known.get("validators", {})) if same else {}
        file = download(self.folder, url, validators)
        if file is None:
            self.report.unchanged += 1
            self.report.broken = self.known.get("broken", 0)
            self.report.problems += self.known.get("problems", ())
            return
        try:
            followed = self._follow(url, file)
            if not followed:
                self.report.checked += check_digest(self.folder, url, file)
                _take(self.folder, self.report, file, name)
        finally:
            self.folder.forget_part(url)
        if not followed:
            told = {"broken": self.report.broken, "problems": list(self.report.problems)}
            self.known |= {"validators": validators, "reader": __version__} | told

    def _follow(self, url: str, file: Path) -> bool:
        """Follow a provider's metadata or a ROLIE feed; False where the file is neither."""
        with file.open("rb") as content:
            head = content.read(1)
        if head != b"{" or file.stat().st_size > MAX_SMALL:
            return False
        document = mapping(load(file.read_bytes(), url, MAX_SMALL))
        if "distributions" in document:
            self._provider(url, objects(document["distributions"]))
        elif "entry" in mapping(document.get("feed")):
            self._rolie(url, document)
        else:
            return False
        return True

    def _provider(self, url: str, distributions: list[dict[str, Any]]) -> None:
        for one in distributions:
            feeds = [text(f.get("url")) for f in objects(mapping(one.get("rolie")).get("feeds"))]
            for address in feeds:
                self._part(lambda a=address: self._feed(link(url, a)))  # type: ignore[misc]
            directory = text(one.get("directory_url"))
            if directory and not feeds:
                self._part(lambda d=directory: self._directory(link(url, d)))  # type: ignore[misc]

    def _part(self, work: Callable[[], None]) -> None:
        """Do one part of a source; what goes wrong in it is listed."""
        try:
            work()
        except BadInput as error:
            self.report.broken += 1
            self.report.tell(str(error))

    def _feed(self, url: str) -> None:
        self._rolie(url, mapping(load(small(self.folder, url), url, MAX_SMALL)))

    def _rolie(self, url: str, document: dict[str, Any]) -> None:
        entries = objects(mapping(document.get("feed")).get("entry"))
        for number, entry in enumerate(entries, 1):
            self.progress(number, len(entries), text(entry.get("id")))
            links = objects(entry.get("link"))
            own = [text(row.get("href")) for row in links if row.get("rel") == "self"]
            reference = text(mapping(entry.get("content")).get("src")) or next(iter(own), "")
            hashes = [text(row.get("href")) for row in links if row.get("rel") == "hash"]
            if reference:
                self._document(url, reference, text(entry.get("updated")), hashes, number)

    def _directory(self, url: str) -> None:
        base = url if url.endswith("/") else url.rsplit("/", 1)[0] + "/"
        try:
            content = small(self.folder, base + "changes.csv")
            rows = [r for r in csv.reader(records.text_lines(content)) if len(r) > 1]
        except NotThere:
            rows = [
                [line, ""] for line in records.text_lines(small(self.folder, base + "index.txt"))
            ]
        for number, (path, changed, *_) in enumerate(rows, 1):
            self.progress(number, len(rows), path)
            self._document(base, path, changed, [], number)

    def _document(
        self, base: str, reference: str, changed: str, hashes: list[str], number: int
    ) -> None:
        """Fetch one CSAF document, unless it is as it was."""

        def work() -> None:
            url = link(base, reference)
            if changed and self.documents.get(url) == changed:
                self.report.unchanged += 1
                return
            validators: dict[str, str] = {}
            if not changed and self.documents.get(url):
                validators = json.loads(self.documents[url])
            file = download(self.folder, url, validators)
            if file is None:
                self.report.unchanged += 1
                return
            broken = self.report.broken
            try:
                beside = [link(base, href) for href in hashes if href]
                self.report.checked += check_digest(self.folder, url, file, beside)
                _take(self.folder, self.report, file, urlsplit(url).path)
            finally:
                self.folder.forget_part(url)
            if self.report.broken == broken:
                self.documents[url] = changed or json.dumps(validators)

        self._part(work)
        if number % SAVED_EVERY == 0:
            self.folder.save()
