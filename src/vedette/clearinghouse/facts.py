"""The four facts of a deadline, put together from what the advisory and the operator state.

Rules:
- The operator knows exposure: a matched asset's own word counts, else its inventory's.
- An exposure word that nobody can read counts as exposed.
- The advisory's publisher knows the rest. KEV is a list: what no advisory names as listed is not.
- Automatable and impact are taken for the worse where nobody states them: yes, and total.
- What was taken without being stated is named in `assumed`.
- Of several advisories on one vulnerability the worse statement counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_YES = frozenset(
    {"y", "yes", "true", "1", "public", "internet", "internet facing", "exposed", "external"}
)
_NO = frozenset(
    {"n", "no", "false", "0", "none", "internal", "isolated", "air gapped", "airgapped"}
    | {"not exposed", "private", "local", "ot only", "plant only"}
)
_CRITICALITY = {"low": 1, "medium": 2, "moderate": 2, "high": 3, "critical": 4, "very high": 4}


@dataclass(frozen=True)
class Facts:
    """What `priority.decide` asks for; `assumed` names the facts that nobody stated."""

    kev: bool
    exposed: bool
    automatable: bool
    impact: str
    assumed: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "kev": self.kev,
            "exposed": self.exposed,
            "automatable": self.automatable,
            "impact": self.impact,
            "assumed": list(self.assumed),
        }


def combine(stated: Iterable[str], exposures: Iterable[str], inventory_exposed: bool) -> Facts:
    """Apply the rules above.

    Args:
        stated: the advisories' facts, such as `kev=yes`, `impact=partial`; others are passed over.
        exposures: the exposure words of the matched assets, "" where one says nothing.
        inventory_exposed: what the operator said of the whole inventory.
    """
    words = set(stated)
    exposed, read = exposure(exposures, inventory_exposed)
    assumed = [] if read else ["exposed"]
    kev = "kev=yes" in words
    if not words & {"kev=yes", "kev=no"}:
        assumed.append("kev")
    automatable = "automatable=yes" in words or "automatable=no" not in words
    if not words & {"automatable=yes", "automatable=no"}:
        assumed.append("automatable")
    partial = "impact=partial" in words and "impact=total" not in words
    if not words & {"impact=partial", "impact=total"}:
        assumed.append("impact")
    return Facts(kev, exposed, automatable, "partial" if partial else "total", tuple(assumed))


def state(values: dict[str, Any]) -> tuple[str, ...]:
    """Return an advisory's facts as words; what can't be read is not stated."""
    found = []
    for name in ("kev", "automatable"):
        value = values.get(name)
        if isinstance(value, bool) or value in ("y", "n", "yes", "no"):
            found.append(f"{name}={'yes' if value in (True, 'y', 'yes') else 'no'}")
    if values.get("impact") in ("partial", "total"):
        found.append(f"impact={values['impact']}")
    return tuple(found)


def exposure(words: Iterable[str], inventory_exposed: bool) -> tuple[bool, bool]:
    """Return whether any of the assets is exposed, and whether every word could be read."""
    exposed, read = False, True
    for word in words:
        plain = " ".join(word.casefold().replace("-", " ").replace("_", " ").split())
        if not plain:
            exposed = exposed or inventory_exposed
        elif plain in _YES:
            exposed = True
        elif plain not in _NO:
            exposed, read = True, False
    return exposed, read


def criticality(words: Iterable[str]) -> int:
    """Return the highest criticality that the assets state, from 0 (none stated) to 4."""
    found = [0]
    for word in words:
        plain = " ".join(word.casefold().split())
        found.append(min(int(plain), 4) if plain in tuple("1234") else _CRITICALITY.get(plain, 0))
    return max(found)
