"""Version orders by scheme. Scheme names are those of purl types and the vers specification."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from importlib import import_module
from typing import Any

from vedette.matching.versions.interface import Key, Order

FIRMWARE = "firmware"
GENERIC = "generic"

# scheme -> module and function of its order; a module is imported when its scheme is met
SCHEMES = {
    "apk": "alpine.key",
    "bioconductor": "dotted.key",
    "bitbucket": "semver.key",
    "bitnami": "semver.bitnami_key",
    "cargo": "semver.key",
    "composer": "composer.key",
    "conan": "generic.key",
    "cran": "dotted.key",
    "deb": "debian.key",
    FIRMWARE: "firmware.key",
    "gem": "rubygems.key",
    GENERIC: "generic.key",
    "github": "semver.key",
    "golang": "semver.go_key",
    "hackage": "dotted.key",
    "hex": "semver.key",
    "julia": "semver.key",
    "maven": "maven.key",
    "npm": "semver.key",
    "nuget": "nuget.key",
    "pub": "semver.pub_key",
    "pypi": "pep440.key",
    "rpm": "rpm.key",
    "semver": "semver.loose_key",
    "swift": "semver.key",
}


_MOST = 1 << 16


class _Memo(dict[str, Any]):
    """What was reckoned of versions of one scheme; begun anew when it has grown large."""

    def __init__(self, of: Callable[[str], Any]) -> None:
        super().__init__()
        self._of = of

    def __missing__(self, version: str) -> Any:
        if len(self) >= _MOST:
            self.clear()
        found = self[version] = self._of(version)
        return found


@lru_cache(maxsize=1 << 7)
def _keys(scheme: str) -> Mapping[str, Key | None]:
    base, _, track = scheme.partition(":")
    named = SCHEMES.get(scheme) or ("firmware.key_in" if base == FIRMWARE else "interface.no_key")
    module, _, function = named.partition(".")
    order: Order = getattr(import_module(f"{__name__}.{module}"), function)
    return _Memo(partial(order, track) if function == "key_in" else order)


@lru_cache(maxsize=1 << 7)
def sortables(scheme: str) -> Mapping[str, str | None]:
    """Return what gives each version its sort key as hexadecimal text.

    None where there is no key or it is not of bytes.
    """
    keys = _keys(scheme)

    def of(version: str) -> str | None:
        found = keys[version]
        return found.hex() if isinstance(found, bytes) else None

    return _Memo(of)


def key(scheme: str, version: str) -> Key | None:
    """Return the sort key of `version` in `scheme`; None when the scheme or version can't be read.

    Keys of different schemes must not be compared.
    """
    return _keys(scheme)[version]


def known(scheme: str) -> bool:
    """Tell whether `scheme` has an order; a track of firmware is one of its own."""
    return scheme.partition(":")[0] in SCHEMES
