"""Scan intents: who is about to look at what, and whether somebody else is at it already.

Rules:
- An intent names a product or a package, its versions (none: all of them), a method, and from when
  to when; it is no longer than the pack allows, ends after it starts, and not before now. At the
  end it is over by itself; its owner ends it earlier at will.
- Two intents of different parties meet while both stand, when their times overlap, their targets
  are the same and their versions meet. A package is compared by its purl without the version, a
  product by its words and, where both name one, its vendor's.
- Need to know: a party is told only whether somebody is at it, the same word for another's intent
  and for open work under embargo. It is told neither how many, nor who, when or how.
- Two that meet are introduced, by name and contact, while both consent; each takes that back.
- There is no looking without registering: whoever learns that somebody is at it, is somebody.
- A maker's wishes and test beds on offer are shown to whoever registers a scan of that target. A
  wish is a wish: it keeps nobody from anything, and is answered by care.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput
from vedette.kernel.packs import PolicyPack

MOST_VERSIONS = 50
LIMITS = {"vendor": 300, "product": 300, "package": 500}


@dataclass(frozen=True)
class Target:
    """What is looked at: a product, a package (purl), or both; no versions means all."""

    product: str
    vendor: str = ""
    package: str = ""
    versions: tuple[str, ...] = ()

    @property
    def product_key(self) -> str:
        return key_of(self.product)

    @property
    def package_key(self) -> str:
        """The purl without version, qualifiers and subpath, in one spelling; "" for none."""
        found = re.match(r"(pkg:[^@?#]+)", self.package.strip())
        if not found:
            return ""
        base = found.group(1).rstrip("/").casefold()
        return base.replace("_", "-") if base.startswith("pkg:pypi/") else base


def key_of(name: str) -> str:
    """A name's words in one spelling, so that case, dashes and spaces do not part them."""
    return " ".join(re.findall(r"[^\W_]+", name.casefold()))[:300]


@dataclass(frozen=True)
class Intent:
    """One registered scan. `party` is whoever does the work; times are UTC."""

    id: str
    party: str
    target: Target
    starts: datetime
    ends: datetime
    ended: datetime | None = None
    introduce: bool = False

    @property
    def until(self) -> datetime:
        return self.ends if self.ended is None else min(self.ends, self.ended)


def stands(intent: Intent, now: datetime) -> bool:
    """Tell whether the work may still be ahead or under way."""
    return now < intent.until


def check_target(target: Target) -> None:
    """Raise BadInput naming the field where this names nothing that can be compared."""
    for name, limit in LIMITS.items():
        if len(getattr(target, name)) > limit or "\0" in getattr(target, name):
            raise BadInput(f"{name}: text of at most {limit} characters belongs here")
    if target.package and not target.package_key:
        raise BadInput("package: a purl expected", next_step="such as pkg:pypi/ujson")
    if not target.product_key and not target.package_key:
        raise BadInput("product: name a product or a package")
    if len(target.versions) > MOST_VERSIONS or any(
        not version.strip() or len(version) > 100 for version in target.versions
    ):
        raise BadInput(f"versions: at most {MOST_VERSIONS}, each of 1 to 100 characters")


def check_intent(pack: PolicyPack, intent: Intent, method: str, now: datetime) -> None:
    """Raise BadInput naming the field where this is no intent under the pack."""
    check_target(intent.target)
    methods = [row["id"] for row in pack.records("scans", "methods")]
    if method not in methods:
        raise BadInput(f"method: {method[:40]!r} is none of {', '.join(methods)}")
    if intent.ends <= intent.starts:
        raise BadInput("ends: it is not after the start")
    if intent.ends <= now:
        raise BadInput(f"ends: {format_time(intent.ends)} has passed")
    most = pack.integer("scans", "most_days")
    if intent.ends - intent.starts > timedelta(days=most):
        raise BadInput(
            f"ends: a scan is registered for at most {most} days",
            next_step="register it again when it goes on",
        )


def same_target(one: Target, other: Target) -> bool:
    if one.package_key and one.package_key == other.package_key:
        return True
    if not one.product_key or one.product_key != other.product_key:
        return False
    vendors = {key_of(one.vendor), key_of(other.vendor)} - {""}
    return len(vendors) < 2


def versions_meet(one: Target, other: Target) -> bool:
    if not one.versions or not other.versions:
        return True
    return bool(
        {v.strip().casefold() for v in one.versions}
        & {v.strip().casefold() for v in other.versions}
    )


def meets(one: Intent, other: Intent, now: datetime) -> bool:
    """Tell whether two parties would do the same work at the same time."""
    return (
        one.party != other.party
        and stands(one, now)
        and stands(other, now)
        and one.starts < other.until
        and other.starts < one.until
        and same_target(one.target, other.target)
        and versions_meet(one.target, other.target)
    )


@dataclass(frozen=True)
class Told:
    """What a party learns of its own intent: whether somebody is at it, and who it may meet."""

    somebody: bool
    introduced: tuple[str, ...] = ()


def told(intent: Intent, others: Iterable[Intent], open_work: bool, now: datetime) -> Told:
    """What `intent`'s party is told; `introduced` has the ids of intents that consent, too."""
    met = [other for other in others if meets(intent, other, now)]
    both = sorted(other.id for other in met if intent.introduce and other.introduce)
    at_it = stands(intent, now) and (bool(met) or open_work)
    return Told(at_it, tuple(both))


def overlap(starts: datetime | None, ends: datetime | None, intent: Intent) -> bool:
    """Tell whether a wish or an offer from `starts` to `ends` (None: open) touches the scan."""
    return (starts is None or starts < intent.until) and (ends is None or intent.starts < ends)
