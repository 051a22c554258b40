"""Package identity: purls and ecosystems as keys that are equal when the package is the same.

Rules:
- A key is `type/namespace/name`, spelled as the package manager itself compares names: PEP 503
  for PyPI on both sides; case does not count where package URLs have none (npm, Composer, NuGet,
  Go, GitHub, deb, rpm, apk and others).
- An advisory's package is that of its ecosystem; where that is none that we know, of its purl.
- A distribution's release is no part of the key; where both sides name one and neither is a point
  release of the other (8 and 8.6), they are different packages; where only the advisory does, the
  match is `likely`.
- An epoch that stands in a qualifier of the purl (RPM, Debian) is put in front of the version.
- A package of a distribution also bears its source package's key, where its purl names that,
  because many distributions' advisories name sources.
- The release of a Red Hat product ("openshift:4.12::el8") is that of the system it runs on.
- A purl that can't be read has no key.

Source: package-url specification; OSV schema, `affected[].package`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote

import msgspec

_PURL = re.compile(
    r"pkg:/*([A-Za-z][A-Za-z0-9.+-]*)/([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.IGNORECASE | re.DOTALL
)
# most purls: spelled as keys are, nothing escaped, no qualifiers, no distribution
_SIMPLE = re.compile(
    r"pkg:(pypi/[a-z0-9]+(?:-[a-z0-9]+)*"
    r"|(?:cargo|composer|gem|golang|hex|maven|npm|nuget|pub)/[a-z0-9._-]+(?:/[a-z0-9._-]+)*)"
    r"@([A-Za-z0-9._+!~-]+)"
)
_PEP503 = re.compile(r"[-_.]+")
_CASELESS = frozenset(
    {"apk", "bitbucket", "bitnami", "composer", "deb", "github", "golang", "hex", "npm", "nuget"}
    | {"pub", "pypi", "rpm", "swift"}
)
# OSV ecosystem -> purl type, namespace
_ECOSYSTEMS = {
    "AlmaLinux": ("rpm", "almalinux"),
    "Alpaquita": ("apk", "alpaquita"),
    "Alpine": ("apk", "alpine"),
    "Azure Linux": ("rpm", "azurelinux"),
    "BellSoft Hardened Containers": ("apk", "bellsoft-hardened-containers"),
    "Bioconductor": ("bioconductor", ""),
    "Bitnami": ("bitnami", ""),
    "CRAN": ("cran", ""),
    "Chainguard": ("apk", "chainguard"),
    "CleanStart": ("apk", "cleanstart"),
    "ConanCenter": ("conan", ""),
    "Debian": ("deb", "debian"),
    "Echo": ("deb", "echo"),
    "GitHub Actions": ("github", ""),
    "Go": ("golang", ""),
    "Hackage": ("hackage", ""),
    "Hex": ("hex", ""),
    "Mageia": ("rpm", "mageia"),
    "Maven": ("maven", ""),
    "Julia": ("julia", ""),
    "MinimOS": ("apk", "minimos"),
    "NuGet": ("nuget", ""),
    "OSS-Fuzz": ("generic", ""),
    "Packagist": ("composer", ""),
    "Photon OS": ("rpm", "photon"),
    "Pub": ("pub", ""),
    "PyPI": ("pypi", ""),
    "Red Hat": ("rpm", "redhat"),
    "Rocky Linux": ("rpm", "rocky"),
    "RubyGems": ("gem", ""),
    "SUSE": ("rpm", "suse"),
    "SwiftURL": ("swift", ""),
    "Ubuntu": ("deb", "ubuntu"),
    "Wolfi": ("apk", "wolfi"),
    "crates.io": ("cargo", ""),
    "npm": ("npm", ""),
    "openEuler": ("rpm", "openeuler"),
    "openSUSE": ("rpm", "opensuse"),
}
_DISTRIBUTIONS = ("apk", "deb", "rpm")
# other spellings of a distribution in purls
_NAMESPACES = {
    "rpm": {
        "alma": "almalinux",
        "azure-linux": "azurelinux",
        "opensuse-leap": "opensuse",
        "opensuse-tumbleweed": "opensuse",
        "opensuse.leap": "opensuse",
        "opensuse.tumbleweed": "opensuse",
        "rhel": "redhat",
        "rocky-linux": "rocky",
        "rockylinux": "rocky",
        "sles": "suse",
    }
}
_NUMBERS = re.compile(r"(?<![0-9.])[0-9]+(?:\.[0-9]+)*")
_SERVICE_PACK = re.compile(r"([0-9]+(?:\.[0-9]+)*)(?:-lts)?[ -]?sp([0-9]+)")
# seldom met, and compiled when they are
_RED_HAT = r"::el([0-9]+)\b"
_ROLLING = ("tumbleweed",)  # a date behind such a word is that of a snapshot
_SOURCE_RPM = r"(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm"
_GIT_URL = r"(?i)(?:[a-z+]+://)?([^#?]+?)(?:\.git)?/?"
_REPOSITORY = (
    r"(?i)(?:https?|git|ssh)://(?:[^/@]*@)?"
    r"(github|bitbucket)\.(?:com|org)/([^/]+/[^/?#]+?)(?:\.git)?/?"
)
_CODENAMES = {
    "wheezy": "7",
    "jessie": "8",
    "stretch": "9",
    "buster": "10",
    "bullseye": "11",
    "bookworm": "12",
    "trixie": "13",
    "forky": "14",
    "duke": "15",
    "precise": "12.04",
    "trusty": "14.04",
    "xenial": "16.04",
    "bionic": "18.04",
    "cosmic": "18.10",
    "disco": "19.04",
    "eoan": "19.10",
    "focal": "20.04",
    "groovy": "20.10",
    "hirsute": "21.04",
    "impish": "21.10",
    "jammy": "22.04",
    "kinetic": "22.10",
    "lunar": "23.04",
    "mantic": "23.10",
    "noble": "24.04",
    "oracular": "24.10",
    "plucky": "25.04",
    "questing": "25.10",
}


class Package(msgspec.Struct, frozen=True, gc=False):
    """A package: its key, the purl's version, the distribution's release, the source package."""

    key: str
    version: str = ""
    release: str = ""
    source_key: str = ""
    source_version: str = ""

    @property
    def scheme(self) -> str:
        return self.key.split("/", 1)[0]


@lru_cache(maxsize=1 << 16)
def from_purl(purl: str) -> Package | None:
    """Read a package URL, None when it can't be read."""
    if simple := _SIMPLE.fullmatch(purl):
        return Package(*simple.groups())
    found = _PURL.fullmatch(purl.strip())
    if found is None:
        return None
    kind = found[1].lower()
    path, _, version = found[2].strip("/").partition("@") if "@" in found[2][1:] else (
        found[2].strip("/"), "", "")  # fmt: skip
    if found[2].startswith("@"):  # an unescaped npm scope
        path, _, version = found[2][1:].partition("@")
        path = "@" + path
    segments = [unquote(part) for part in path.split("/") if part]
    if not segments:
        return None
    namespaces = _NAMESPACES.get(kind, {})
    segments[0] = namespaces.get(segments[0].lower(), segments[0])
    key = _key(kind, segments)
    query = dict(p.partition("=")[::2] for p in (found[3] or "").split("&") if "=" in p)
    qualifiers = {name.lower(): unquote(value) for name, value in query.items()}
    source, _, source_version = qualifiers.get("upstream", "").partition("@")
    version = unquote(version)
    epoch = f"{qualifiers['epoch']}:" if "epoch" in qualifiers else ""
    if kind in ("deb", "rpm") and version and ":" not in version:
        version = epoch + version
    if kind == "rpm":
        built = re.fullmatch(_SOURCE_RPM, source)
        source, source_version = (built[1], epoch + built[2]) if built else ("", "")
    return Package(
        key,
        version,
        _release(qualifiers.get("distro", "")),
        _key(kind, [*segments[:-1], source]) if source and kind in _DISTRIBUTIONS else "",
        source_version,
    )


@lru_cache(maxsize=1 << 16)
def from_ecosystem(ecosystem: str, name: str) -> Package:
    """Return the package of an OSV ecosystem; one that is not known keeps its own name."""
    base, _, release = ecosystem.partition(":")
    kind, namespace = _ECOSYSTEMS.get(base, (base.lower().replace(" ", "-"), ""))
    if kind == "swift" and (address := re.fullmatch(_GIT_URL, name)):
        name = address[1]
    parts = name.split(":", 1) if kind == "maven" else [p for p in name.split("/") if p]
    key = _key(kind, [namespace, *parts] if namespace else parts or [name])
    return Package(key, release=_release(release) if kind in _DISTRIBUTIONS else "")


@lru_cache(maxsize=1 << 16)
def stated(ecosystem: str, name: str, purl: str) -> Package | None:
    """Return the package that an advisory names, None where it names none that can be read."""
    known = ecosystem.partition(":")[0] in _ECOSYSTEMS
    found = from_purl(purl) if purl and not (known and name) else None
    if found is None and ecosystem and name:
        return from_ecosystem(ecosystem, name)
    return found


def of_repository(address: str) -> str:
    """Return the package URL of a repository, "" where package URLs have no type for its host."""
    found = re.fullmatch(_REPOSITORY, address.strip())
    return f"pkg:{found[1].lower()}/{found[2]}" if found else ""


def same_release(component: str, advisory: str, vague: bool = True) -> bool:
    """Whether two releases may be the same; "" is not stated, and 8 holds 8.6.

    With `vague` false: whether the component's release surely is the advisory's.
    """
    surely = not advisory or f"{component}.".startswith(f"{advisory}.")
    return surely or (vague and (not component or f"{advisory}.".startswith(f"{component}.")))


def _key(kind: str, segments: list[str]) -> str:
    if kind == "pypi":
        return "pypi/" + _PEP503.sub("-", segments[-1]).lower()
    path = "/".join(segments)
    return f"{kind}/{path.lower() if kind in _CASELESS else path}"


def _release(text: str) -> str:
    """The number of a release ("12", "3.18", "15.4"), else its word ("edge").

    Read from purls (`debian-12`, `bookworm`, `sles-15.4`) and from OSV ecosystems (`12`, `v3.18`,
    `Pro:22.04:LTS`, `enterprise_linux:8::baseos`, `Linux Enterprise Server 15 SP4`).
    """
    word = text.lower()
    if system := re.search(_RED_HAT, word):
        return system[1]
    if rolling := next((name for name in _ROLLING if name in word), ""):
        return rolling
    if pack := _SERVICE_PACK.search(word):
        return f"{pack[1]}.{pack[2]}"
    if number := _NUMBERS.search(word):
        return number[0]
    word = re.sub(r"^[a-z]+-(?=[a-z])", "", word)
    return _CODENAMES.get(word, word)
