"""The neutral draft of an advisory, from which each format's writer makes its document.

Rules:
- A draft that exists is complete: whatever a format's validator would refuse is refused here,
  naming the field.
- Ids are random (`x_vedette-` and 16 characters) or a CVE id; they carry neither time nor order.
- Severity claims stand side by side; a format that holds one score takes the first claimant's.
- A record that corrects another names it, says what it gets wrong, and gives the evidence.
- Revisions count from 1 without gaps, oldest first; the first is the publication.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from cvss import CVSS2, CVSS3, CVSS4, CVSSError  # type: ignore[import-untyped]

from vedette.clearinghouse.severity import SeverityClaim, side_by_side
from vedette.formats.weaknesses import CWE_NAMES
from vedette.kernel.errors import BadInput
from vedette.kernel.ids import new_id
from vedette.kernel.markings import RED, Marking

ID = re.compile(r"x_[a-z0-9]+-[A-Za-z0-9-]{1,60}|CVE-[0-9]{4}-[0-9]{4,19}")
CVE = re.compile(r"CVE-[0-9]{4}-[0-9]{4,19}")
PURL = re.compile(r"pkg:[a-z][a-z0-9.+-]*/[A-Za-z0-9._~%/+:-]+")
_CWE = re.compile(r"CWE-[1-9][0-9]{0,5}")
_ASCII_URL = re.compile(r"https?://[!-~]{1,2000}")
_BROKEN_URL = re.compile(r"%(?![0-9A-Fa-f]{2})|[\"<>\\^`{|}\[\]]")
_VERSION = re.compile(r"[!-~]{1,100}")
TEXT_LIMIT = 65_536
COUNT_LIMIT = 1_000


def new_advisory_id() -> str:
    """Return a random id that OSV and CSAF both take, e.g. `x_vedette-7k2m9x4qwb3n8rtz`."""
    return "x_" + new_id("vedette")


@dataclass(frozen=True)
class VersionRange:
    """From `introduced` ("0": the first one) up to `fixed` (exclusive) or `last` (inclusive)."""

    introduced: str = "0"
    fixed: str = ""
    last: str = ""

    def __post_init__(self) -> None:
        for name in ("introduced", "fixed", "last"):
            value = getattr(self, name)
            if (value or name == "introduced") and not _VERSION.fullmatch(value):
                raise BadInput(f"range.{name}: {value[:60]!r} is no version")
        if self.fixed and self.last:
            raise BadInput("range: `fixed` and `last` exclude each other")
        if self.fixed and self.fixed == self.introduced:
            raise BadInput(f"range: {self.fixed!r} is both first affected and fixed")


@dataclass(frozen=True)
class Affected:
    """One product: how it is named, which versions are affected, which carry the fix.

    `ecosystem` and `package` are OSV's words (both or neither); `purl` has no version.
    """

    vendor: str
    product: str
    ecosystem: str = ""
    package: str = ""
    purl: str = ""
    ranges: tuple[VersionRange, ...] = ()
    versions: tuple[str, ...] = ()
    fixed_versions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _filled("affected.vendor", self.vendor, 300)
        _filled("affected.product", self.product, 300)
        if bool(self.ecosystem) != bool(self.package):
            raise BadInput("affected: `ecosystem` and `package` go together")
        _plain("affected.package", self.package, 300)
        if self.purl and not PURL.fullmatch(self.purl):
            raise BadInput(
                f"affected.purl: {self.purl[:80]!r} can't be read",
                next_step="write it without version, like pkg:pypi/ujson",
            )
        if not self.ranges and not self.versions:
            raise BadInput(f"affected {self.product}: neither range nor version")
        if len(self.ranges) + len(self.versions) + len(self.fixed_versions) > COUNT_LIMIT:
            raise BadInput(f"affected {self.product}: more than {COUNT_LIMIT} ranges and versions")
        for version in (*self.versions, *self.fixed_versions):
            if not _VERSION.fullmatch(version):
                raise BadInput(f"affected {self.product}: {version[:60]!r} is no version")
        both = set(self.versions) & self.fixes
        if both:
            raise BadInput(f"affected {self.product}: {min(both)} is both affected and fixed")

    @property
    def fixes(self) -> set[str]:
        """Every version known to carry the fix."""
        return {*self.fixed_versions, *(r.fixed for r in self.ranges if r.fixed)}


@dataclass(frozen=True)
class Correction:
    """Another record that this one corrects: its id, what it gets wrong, how that was shown."""

    id: str
    statement: str
    evidence: str

    def __post_init__(self) -> None:
        for name in ("id", "statement", "evidence"):
            _filled(f"corrects.{name}", getattr(self, name), 4_000)


@dataclass(frozen=True)
class Reference:
    """A web address, of one of OSV's kinds."""

    url: str
    kind: str = "WEB"
    summary: str = ""

    def __post_init__(self) -> None:
        _url("references.url", self.url)
        if self.kind not in REFERENCE_KINDS:
            raise BadInput(f"references.kind: {self.kind!r} is none of {REFERENCE_KINDS}")
        _plain("references.summary", self.summary, 1_000)


REFERENCE_KINDS = (
    *("ADVISORY", "ARTICLE", "DETECTION", "DISCUSSION", "EVIDENCE", "FIX", "GIT", "INTRODUCED"),
    *("PACKAGE", "REPORT", "WEB"),
)
CREDIT_KINDS = (
    *("ANALYST", "COORDINATOR", "FINDER", "OTHER", "REMEDIATION_DEVELOPER"),
    *("REMEDIATION_REVIEWER", "REMEDIATION_VERIFIER", "REPORTER", "SPONSOR", "TOOL"),
)


@dataclass(frozen=True)
class Credit:
    """Who is thanked, and for what (one of OSV's kinds)."""

    name: str
    kind: str = "FINDER"

    def __post_init__(self) -> None:
        _filled("credits.name", self.name, 300)
        if self.kind not in CREDIT_KINDS:
            raise BadInput(f"credits.kind: {self.kind!r} is none of {CREDIT_KINDS}")


@dataclass(frozen=True)
class Publisher:
    """Who publishes: a name, and the web address that is its namespace."""

    name: str
    namespace: str
    category: str = "coordinator"
    contact: str = ""

    def __post_init__(self) -> None:
        _filled("publisher.name", self.name, 300)
        _url("publisher.namespace", self.namespace)
        _plain("publisher.contact", self.contact, 300)
        if self.category not in ("coordinator", "discoverer", "other", "vendor"):
            raise BadInput(f"publisher.category: {self.category!r} is unknown")


@dataclass(frozen=True)
class Revision:
    """One entry of the revision history."""

    number: int
    date: datetime
    summary: str

    def __post_init__(self) -> None:
        _filled("revisions.summary", self.summary, 1_000)
        _zoned("revisions.date", self.date)


@dataclass(frozen=True)
class AdvisoryDraft:
    """Everything an advisory says, in no format. `details` are written anew, never copied in."""

    id: str
    title: str
    summary: str
    details: str
    publisher: Publisher
    affected: tuple[Affected, ...]
    revisions: tuple[Revision, ...]
    aliases: tuple[str, ...] = ()
    cwe: tuple[str, ...] = ()
    severity: tuple[SeverityClaim, ...] = ()
    credits: tuple[Credit, ...] = ()
    references: tuple[Reference, ...] = ()
    corrects: tuple[Correction, ...] = ()
    marking: Marking = RED
    remedy: str = ""

    def __post_init__(self) -> None:
        if not ID.fullmatch(self.id):
            raise BadInput(f"id: {self.id[:80]!r} is neither x_… nor a CVE id")
        _filled("title", self.title, 300)
        _filled("summary", self.summary, 1_000)
        _filled("details", self.details, TEXT_LIMIT)
        _plain("remedy", self.remedy, TEXT_LIMIT)
        self._check_counts()
        self._check_names()
        self._check_history()
        for claim in self.severity:
            check_vector(claim)

    def _check_counts(self) -> None:
        for name in ("affected", "revisions"):
            if not getattr(self, name):
                raise BadInput(f"{name}: an advisory needs at least one")
        lists = ("affected", "revisions", "aliases", "cwe", "severity", "credits", "references")
        for name in (*lists, "corrects"):
            if len(getattr(self, name)) > COUNT_LIMIT:
                raise BadInput(f"{name}: more than {COUNT_LIMIT} entries")

    def _check_names(self) -> None:
        for alias in self.aliases:
            _filled("aliases", alias, 200)
        for weakness in self.cwe:
            if not _CWE.fullmatch(weakness):
                raise BadInput(f"cwe: {weakness[:20]!r} is no CWE id", next_step="write CWE-787")
        if len(self.cves) > 1:
            raise BadInput(f"aliases: one advisory names one CVE, not {', '.join(self.cves)}")
        said: dict[tuple[str, str], tuple[set[str], set[str]]] = {}
        for item in self.affected:
            bad, good = said.setdefault((item.vendor, item.product), (set(), set()))
            bad.update(item.versions)
            good.update(item.fixes)
            if bad & good:
                raise BadInput(
                    f"affected {item.product}: {min(bad & good)} both affected and fixed"
                )

    def _check_history(self) -> None:
        for index, revision in enumerate(self.revisions, start=1):
            if revision.number != index:
                raise BadInput(f"revisions: number {revision.number} where {index} belongs")
        dates = [revision.date for revision in self.revisions]
        if dates != sorted(dates):
            raise BadInput("revisions: the dates do not ascend")

    @property
    def cves(self) -> tuple[str, ...]:
        """The CVE id this advisory is about, if any."""
        named = dict.fromkeys((self.id, *self.aliases))
        return tuple(name for name in named if CVE.fullmatch(name))

    @property
    def other_names(self) -> tuple[str, ...]:
        """Aliases besides its own id, each once."""
        return tuple(dict.fromkeys(name for name in self.aliases if name != self.id))

    @property
    def published(self) -> datetime:
        return self.revisions[0].date

    @property
    def modified(self) -> datetime:
        return self.revisions[-1].date

    @property
    def claims(self) -> tuple[SeverityClaim, ...]:
        """Each party's latest severity claim, in a fixed order."""
        return side_by_side(self.severity)

    @property
    def weakness(self) -> tuple[str, str] | None:
        """Id and name of the first weakness whose name is known (CSAF 2.0 holds one)."""
        return next(((w, CWE_NAMES[w]) for w in self.cwe if w in CWE_NAMES), None)

    @property
    def remedy_text(self) -> str:
        """What to do: the draft's own words, else drawn from the fixed versions."""
        if self.remedy:
            return self.remedy
        fixed = sorted({f"{item.product} {v}" for item in self.affected for v in item.fixes})
        return f"Update to {', '.join(fixed[:20])} or later." if fixed else "No fix is known yet."


def check_vector(claim: SeverityClaim) -> CVSS2 | CVSS3 | CVSS4:
    """Parse a claim's vector. Raises BadInput."""
    try:
        if claim.version == "2.0":
            return CVSS2(claim.vector)
        return CVSS4(claim.vector) if claim.version == "4.0" else CVSS3(claim.vector)
    except CVSSError as error:
        raise BadInput(f"severity.vector: {claim.vector[:80]!r}: {error}") from None


def _plain(field: str, value: str, limit: int) -> None:
    if len(value) > limit:
        raise BadInput(f"{field}: {len(value):,} characters, at most {limit:,}")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise BadInput(f"{field}: holds half of a surrogate pair") from None
    if "\0" in value:
        raise BadInput(f"{field}: holds a NUL character")


def _filled(field: str, value: str, limit: int) -> None:
    if not value.strip():
        raise BadInput(f"{field}: missing")
    _plain(field, value, limit)


def _url(field: str, value: str) -> None:
    if not _ASCII_URL.fullmatch(value) or _BROKEN_URL.search(value):
        raise BadInput(f"{field}: {value[:80]!r} is no web address", next_step="write https://…")
    try:
        host = urlsplit(value).hostname
    except ValueError:
        host = None
    if not host:
        raise BadInput(f"{field}: {value[:80]!r} names no host")


def _zoned(field: str, value: datetime) -> None:
    if value.tzinfo is None:
        raise BadInput(f"{field}: the time names no zone")
