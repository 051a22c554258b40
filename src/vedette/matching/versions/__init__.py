"""Version orders by scheme. Scheme names are those of purl types and the vers specification."""

from __future__ import annotations

from functools import lru_cache

from vedette.matching.versions import (
    alpine,
    composer,
    debian,
    dotted,
    firmware,
    generic,
    maven,
    nuget,
    pep440,
    rpm,
    rubygems,
    semver,
)
from vedette.matching.versions.interface import Key, Order

FIRMWARE = "firmware"
GENERIC = "generic"

SCHEMES: dict[str, Order] = {
    "apk": alpine.key,
    "bitnami": semver.key,
    "cargo": semver.key,
    "composer": composer.key,
    "cran": dotted.key,
    "deb": debian.key,
    FIRMWARE: firmware.key,
    "gem": rubygems.key,
    GENERIC: generic.key,
    "github": semver.key,
    "golang": semver.key,
    "hackage": dotted.key,
    "hex": semver.key,
    "maven": maven.key,
    "npm": semver.key,
    "nuget": nuget.key,
    "pub": semver.pub_key,
    "pypi": pep440.key,
    "rpm": rpm.key,
    "semver": semver.key,
    "swift": semver.key,
}


@lru_cache(maxsize=1 << 18)
def key(scheme: str, version: str) -> Key | None:
    """Return the sort key of `version` in `scheme`; None when the scheme or version can't be read.

    Keys of different schemes must not be compared.
    """
    order = SCHEMES.get(scheme)
    if order is not None:
        return order(version)
    base, _, track = scheme.partition(":")
    return firmware.key_in(track, version) if base == FIRMWARE else None


def known(scheme: str) -> bool:
    """Tell whether `scheme` has an order; a track of firmware is one of its own."""
    return scheme.partition(":")[0] in SCHEMES


@lru_cache(maxsize=1 << 18)
def sortable(scheme: str, version: str) -> str | None:
    """Return the sort key as hexadecimal text; None where there is none or it is not of bytes."""
    found = key(scheme, version)
    return found.hex() if isinstance(found, bytes) else None
