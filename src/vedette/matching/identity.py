"""The keys by which components and affected products meet, from packages and from product words."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from vedette.matching import inside, names, versions
from vedette.matching.inside import Inside
from vedette.matching.model import CONFIDENCES, Affected, Component


class Claim(msgspec.Struct, frozen=True, gc=False):
    """One way to be a product: how sure this side is, and the distribution's release if stated.

    On a component's side `version` and `via` say which version counts and whose it is, `doubt` why
    that is not certain, and `cpe` by which name it is known.
    """

    confidence: str
    release: str = ""
    version: str = ""
    via: str = ""
    doubt: str = ""
    cpe: str = ""


TYPED = "typed, and confirmed by nobody"
TORN = "its purl states version"
INSIDE = "the version is read from the product's name"


def asked(component: Component) -> tuple[str, ...]:
    """Return what `of_component` asks of a component."""
    if component.purl and not component.vendor and not component.cpe:
        return component.purl, component.version, component.origin
    product = component.product or component.name
    said = component.vendor, product, component.product, component.model, component.cpe
    return component.purl, component.version, *said, component.origin


def of_component(component: Component) -> dict[str, Claim]:
    """Return the keys of a component; none where nothing in it can be read."""
    claims = _claims(component)
    if component.origin == "typed":
        return {key: _doubted(claim, TYPED) for key, claim in claims.items()}
    return claims


def _doubted(claim: Claim, doubt: str) -> Claim:
    doubts = "; ".join(filter(None, (claim.doubt, doubt)))
    return replace(claim, confidence=weaker(claim.confidence, "likely"), doubt=doubts)


def version_inside(component: Component) -> Inside | None:
    """The product's name and the version that surely stands in it, where no other is stated."""
    if component.version or component.purl or component.cpe or component.origin == "typed":
        return None
    found = inside.read(component.product or component.name)
    return found if found.version and found.sure else None


def _contradicts(package: names.Package, version: str) -> bool:
    """Whether a purl states another version than its component does."""
    stated = package.version
    if stated == version or not stated or not version or stated.endswith(f":{version}"):
        return False
    own, other = (versions.key(package.scheme, each) for each in (version, stated))
    return own is None or other is None or own != other


def _claims(component: Component) -> dict[str, Claim]:
    version = component.version
    claims: dict[str, Claim] = {}
    package = names.from_purl(component.purl) if component.purl else None
    if package is not None:
        epoch, _, rest = package.version.partition(":")
        if not version or (version == rest and epoch.isdigit()):
            version = package.version
        sure, doubt = "exact", ""
        if _contradicts(package, version):
            sure, doubt = "likely", f"{TORN} {package.version}"
        claims[package.key] = Claim(sure, package.release, version, "", doubt)
        if package.source_key:
            source = package.source_version or version
            via = "" if package.source_key == package.key else package.source_key
            claims[package.source_key] = Claim(sure, package.release, source, via, doubt)
    if component.purl and not component.vendor and not component.cpe:
        return claims
    from vedette.matching import products  # large, and not needed for packages

    cpe = products.cpe_words(component.cpe) if component.cpe else None
    if cpe is not None and not version and cpe[2] not in ("*", "-"):
        version = cpe[2]
    if component.purl and not component.vendor and cpe is None:
        return claims
    models = (component.model,) if component.model else ()
    product = component.product or component.name
    if not version and (within := version_inside(component)):
        # where the rest of the name matches; where the whole does, it may be a part of the name
        claims = _claims(replace(component, product=within.name, version=within.version))
        claims = {key: _doubted(claim, INSIDE) for key, claim in claims.items()}
    cpes = (component.cpe,) if component.cpe else ()
    for text in dict.fromkeys((product, component.model)):
        found = products.component_keys(component.vendor, text, models, cpes)
        for key, confidence in found.items():
            claims.setdefault(key, Claim(confidence, "", version, cpe=component.cpe))
    if component.product and component.model:
        joined = f"{component.product} {component.model}"
        for key, confidence in products.component_keys(component.vendor, joined).items():
            claims.setdefault(key, Claim(confidence, "", version, cpe=component.cpe))
    return claims


def of_affected(affected: Affected) -> dict[str, Claim]:
    """Return the keys of an advisory's product."""
    claims: dict[str, Claim] = {}
    package = names.stated(affected.ecosystem, affected.name, affected.purl)
    if package is not None:
        claims[package.key] = Claim("exact", package.release)
    if affected.vendor or affected.product or affected.cpes:
        from vedette.matching import products

        keys = products.advisory_keys(
            affected.vendor, affected.product, affected.models, affected.cpes
        )
        for key, confidence in keys.items():
            claims.setdefault(key, Claim(confidence))
    return claims


def weaker(*confidences: str) -> str:
    """Return the weakest of several confidences."""
    return max(confidences, key=CONFIDENCES.index)
