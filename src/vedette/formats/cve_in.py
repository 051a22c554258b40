"""CVE records (JSON 5.x) into advisories.

Rules:
- The CNA's container and those of ADPs are read; each of their products is a product apart.
- `lessThan` and `lessThanOrEqual` make ranges from `version` on; 0, n/a, *, -, unspecified
  and "all versions" as the start mean from the beginning, `*` as the end means without end,
  `6.6.*` all of 6.6.
- `changes` cut a range at each `at` and go on with that status; one behind the only range's end
  says where it is fixed.
- A single `version` may hold words ("< 5.2", "all versions"): read as words.
- Commits (versionType git and the like) say nothing of versions.
- A package in a collection that we know is found by its purl: Go's by their module, Red Hat's by
  the release, not by the platform that is the record's `product` there.
- `cpeApplicability` is read as well, see `cve_cpe`.
- A version that nothing speaks of has the `defaultStatus`, but "unknown" (also where none is
  given) is taken as not listed: unaffected. One that is "unaffected" without any version is not
  affected.
"""

from __future__ import annotations

import re
from typing import Any

from vedette.formats.interface import (
    ADVISORY_FORMS,
    Wanted,
    mapping,
    objects,
    required,
    text,
    texts,
)
from vedette.kernel.errors import BadInput
from vedette.matching import identity, names, versions
from vedette.matching.model import Advisory, Affected
from vedette.matching.ranges import Interval, Range
from vedette.matching.versions import words

_BEGIN = frozenset(
    {"", "0", "*", "-", "n/a", "unspecified", "unknown", "none", "0.0", "0.0.0"}
    | {"all", "all versions", "any", "earlier", "prior", "previous versions"}
    | {"all previous versions", "all prior versions"}
)
_NOTHING = frozenset({"", "n/a", "-", "unspecified", "unknown", "none", "not specified", "tbd"})
_COMMITS = frozenset({"git", "original_commit_for_fix"})
_SCHEMES = {
    "deb": "deb",
    "dpkg": "deb",
    "maven": "maven",
    "npm": "npm",
    "pypi": "pypi",
    "python": "pypi",
    "rpm": "rpm",
}
# what a collection's address contains -> purl type
_COLLECTIONS = {
    "cran.r-project": "cran",
    "crates": "cargo",
    "go.dev": "golang",
    "golang.org": "golang",
    "hackage": "hackage",
    "hex.pm": "hex",
    "maven": "maven",
    "npmjs": "npm",
    "nuget": "nuget",
    "packagist": "composer",
    "pub.dev": "pub",
    "pypi": "pypi",
    "redhat.com": "rpm",
    "rubygems": "gem",
}
_GO = {"go standard library": "stdlib", "go toolchain": "toolchain"}
_STATUSES = ("affected", "unaffected", "unknown")


def read(document: Any, source: str, wanted: Wanted = None) -> Advisory:
    """Read one CVE record. Raises BadInput when it is none."""
    if not isinstance(document, dict):
        raise BadInput(f"{source}: a CVE record is an object", next_step=ADVISORY_FORMS)
    meta = mapping(document.get("cveMetadata"))
    containers = mapping(document.get("containers"))
    cna = mapping(containers.get("cna"))
    containers_read = (cna, *objects(containers.get("adp")))
    rows = [row for one in containers_read for row in objects(one.get("affected"))]
    found = [a for row in rows for a in _affected(row)]
    for container in containers_read:
        if "cpeApplicability" in container:
            from vedette.formats import cve_cpe

            found += cve_cpe.read(container)
    if wanted is not None:
        found = [a for a in found if any(key in wanted for key in identity.of_affected(a))]
    return Advisory(
        id=required(meta, "cveId", source),
        summary=text(cna.get("title")),
        modified=text(meta.get("dateUpdated")),
        withdrawn=text(meta.get("state")) == "REJECTED",
        affected=tuple(dict.fromkeys(found)),
        origin="cve",
    )


def _affected(row: dict[str, Any]) -> list[Affected]:
    purl = text(row.get("packageURL")) or _purl(row)
    package = names.from_purl(purl) if purl else None
    scheme = package.scheme if package and package.scheme in versions.SCHEMES else ""
    default = text(row.get("defaultStatus"))
    stated = objects(row.get("versions"))
    ranges = [r for entry in stated for r in _ranges(entry, scheme)]
    if not ranges and not stated and default == "unaffected":
        return []
    if not ranges and default != "affected":
        only = "commits only" if stated else "no versions"
        ranges = [Range(scheme or versions.GENERIC, problem=f"the record states {only}")]
    product = text(row.get("product"))
    vendor = text(row.get("vendor"))
    cpes = texts(row.get("cpes"))
    if product.lower() in ("", "n/a") and not purl and not cpes:
        return []
    context = ""
    if _of_platform(row):
        context = "" if _enterprise_release(row) else product
        product, cpes = "" if purl else text(row.get("packageName")), ()
    one = Affected(
        purl=purl,
        vendor="" if vendor.lower() == "n/a" or not product else vendor,
        product=product,
        cpes=cpes,
        scheme=scheme or versions.GENERIC,
        ranges=tuple(dict.fromkeys(ranges)),
        versions=_literal(stated),
        default="affected" if default == "affected" else "unaffected",
        context=context,
        fixed=_fixed_behind(stated) if len(ranges) == 1 else (),
    )
    return [one]


def _fixed_behind(stated: list[dict[str, Any]]) -> tuple[str, ...]:
    """Where changes say that the product is unaffected; inside a range its bounds say so, too."""
    changes = [change for entry in stated for change in objects(entry.get("changes"))]
    found = (text(c.get("at")) for c in changes if text(c.get("status")) == "unaffected")
    return tuple(dict.fromkeys(filter(None, found)))


def _literal(stated: list[dict[str, Any]]) -> tuple[str, ...]:
    """Single affected versions that are no version at all ("QCA6574A"): equal text still counts."""
    return tuple(
        version
        for entry in stated
        if text(entry.get("status")) == "affected"
        and not {"lessThan", "lessThanOrEqual"} & set(entry)
        and (version := text(entry.get("version"))).lower() not in _NOTHING
        and words.parse(version).problem
    )


def _purl(row: dict[str, Any]) -> str:
    name, address = text(row.get("packageName")), text(row.get("collectionURL")).lower()
    kind = next((kind for part, kind in _COLLECTIONS.items() if part in address), "")
    if not name or not kind:
        return ""
    if kind == "rpm":
        release = _enterprise_release(row)
        distribution = f"?distro=redhat-{release}" if release else ""
        return f"pkg:rpm/redhat/{name}{distribution}" if "/" not in name else ""
    if kind == "golang":
        module = text(row.get("vendor"))
        if f"{name}/".startswith(f"{module}/"):
            name = module
        name = _GO.get(module.lower(), name)
    return f"pkg:{kind}/{name.replace(':', '/')}"


def _of_platform(row: dict[str, Any]) -> bool:
    """Whether the record's product is the platform of its package (Red Hat)."""
    return bool(row.get("packageName")) and "redhat.com" in text(row.get("collectionURL")).lower()


def _enterprise_release(row: dict[str, Any]) -> str:
    """The release of Red Hat Enterprise Linux that a record's product is, "" for another."""
    names = " ".join(texts(row.get("cpes")))
    found = re.search(r":(?:enterprise_linux|rhel_[a-z0-9]+):([0-9.]+)|::el([0-9]+)", names)
    return (found[1] or found[2]) if found else ""


def _ranges(entry: dict[str, Any], scheme: str) -> list[Range]:
    status = text(entry.get("status"))
    kind = text(entry.get("versionType")).lower()
    if status not in _STATUSES or kind in _COMMITS:
        return []
    version = text(entry.get("version"))
    below, upto = text(entry.get("lessThan")), text(entry.get("lessThanOrEqual"))
    if not below and not upto:
        return _single(version, status, scheme or _SCHEMES.get(kind, ""))
    changes = [(text(c.get("at")), text(c.get("status"))) for c in objects(entry.get("changes"))]
    bounds = [b for b in (version, below, upto, *(at for at, _ in changes)) if b]
    order = scheme or _SCHEMES.get(kind) or _order(kind, bounds)
    spoken = ""
    if order == versions.GENERIC:
        spoken = f"{version} < {below}" if below else f"{version} <= {upto}"
    return _cut(order, version, below, upto, status, changes, spoken)


def _order(kind: str, bounds: list[str]) -> str:
    """Semantic versions only where every bound is one in full; else what can be read plainly."""
    semantic = kind == "semver" and all(
        versions.key("semver", b) is not None for b in bounds if b.lower() not in _BEGIN
    )
    return "semver" if semantic else versions.GENERIC


def _single(version: str, status: str, scheme: str) -> list[Range]:
    if version.lower() in _NOTHING:
        problem = "the record names no version"
        return [Range(scheme or versions.GENERIC, words=version, status=status, problem=problem)]
    if scheme and versions.key(scheme, version) is not None:
        point = Interval(version, version, high_open=False)
        return [Range(scheme, (point,), status=status)]
    return [words.parse(version, status=status)]


def _cut(
    order: str,
    version: str,
    below: str,
    upto: str,
    status: str,
    changes: list[tuple[str, str]],
    spoken: str,
) -> list[Range]:
    low = None if version.lower() in _BEGIN else version
    high, high_open = below or upto, bool(below)
    if wild := re.fullmatch(r"(.+?)\.\*", high):
        end = words.after(wild[1])
        if end is None:
            problem = f"bound {high!r} can't be read"
            return [Range(order, words=spoken, status=status, problem=problem)]
        high, high_open = (wild[1], True) if below else (end, True)
    top = None if high in ("*", "") else high
    keyed = sorted(
        ((k, at, new) for at, new in changes if (k := versions.key(order, at)) is not None),
        key=lambda change: change[0],
    )
    if len(keyed) < len(changes):
        problem = "a change's version can't be read"
        return [Range(order, words=spoken, status=status, problem=problem)]
    if low is not None and top is not None and not _ordered(order, low, top):
        problem = "the range's bounds stand the wrong way round"
        return [Range(order, words=spoken, status=status, problem=problem)]
    start = None if low is None else versions.key(order, low)
    stop = None if top is None else versions.key(order, top)
    ranges = []
    for key, at, new in keyed:
        if stop is not None and (stop < key or (high_open and stop <= key)):
            break  # changes count inside the range alone
        if start is None or start < key:
            ranges.append(Range(order, (Interval(low, at),), spoken, status))
            low = at
        status = new if new in _STATUSES else "unknown"
    ranges.append(Range(order, (Interval(low, top, high_open=high_open),), spoken, status))
    return ranges


def _ordered(order: str, low: str, high: str) -> bool:
    """False only where both bounds are read and stand the wrong way round."""
    bottom, top = versions.key(order, low), versions.key(order, high)
    return bottom is None or top is None or bottom <= top
