"""Exposure of sealed items: what each occasion spends, and when an item is used up.

Rules:
- An exposure is one item in one run with one subject, or one person who opened a run's log; the
  same person opening it again sees nothing new.
- A reference subject is a program of the office's own: its custody is "here", whatever the run's.
- The pack gives an item so many exposures of each custody. At any of these limits it is retired,
  and is in no further run; nothing makes it new again.
- An item is in a run only where the run's own exposures still fit.
- Who could have seen an item follows from the custody: prompts that go to an endpoint can be read
  by whoever operates it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from vedette.bench.custody import ENDPOINT, HERE, ITEMS_THERE, JOINT, WEIGHTS_HERE

VIEW = "view"
CUSTODIES = (ENDPOINT, HERE, ITEMS_THERE, JOINT, VIEW, WEIGHTS_HERE)
NOBODY = "nobody: the subject is a program of this instance"


@dataclass(frozen=True)
class Seen:
    """How often an item was exposed, by custody."""

    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def left(self, budgets: Mapping[str, int]) -> int:
        """How many exposures of its scarcest custody are left."""
        return max(0, min(most - self.counts.get(name, 0) for name, most in budgets.items()))

    def spent(self, budgets: Mapping[str, int]) -> str:
        """Why the item is used up, "" while it is not."""
        for name, most in sorted(budgets.items()):
            if self.counts.get(name, 0) >= most:
                return f"{self.counts.get(name, 0)} exposures ({name}), the budget is {most}"
        return ""

    def fits(self, needed: Mapping[str, int], budgets: Mapping[str, int]) -> bool:
        """Whether a run's exposures keep within the budgets of an item that is not used up."""
        after = Counter(self.counts) + Counter(needed)
        return not self.spent(budgets) and all(
            after[name] <= most for name, most in budgets.items()
        )


def needed(subjects: Iterable[Mapping[str, str]], custody: str) -> dict[str, int]:
    """What a run spends of each of its items, by custody."""
    return dict(Counter(custody_of(subject, custody) for subject in subjects))


def custody_of(subject: Mapping[str, str], custody: str) -> str:
    """The custody by which one subject of a run meets the items."""
    return HERE if subject["kind"] == "reference" else custody


def remaining(
    seen: Mapping[int, Seen], needs: Mapping[str, int], budgets: Mapping[str, int]
) -> list[int]:
    """The numbers of the items that can be in a run, in order."""
    return [number for number in sorted(seen) if seen[number].fits(needs, budgets)]


def could_see(custody: str, operator: str) -> str:
    """Who could have seen an item, in words; `operator` runs the subject."""
    match custody:
        case "here":
            return NOBODY
        case "endpoint":
            return f"{operator}, which operates the endpoint"
        case "items-there":
            return f"{operator}, on whose machine the items were opened"
        case "joint":
            return f"{operator}, at the third place, as far as its record lets"
        case _:
            return f"nobody of {operator}: its weights ran here"


def counted(rows: Sequence[tuple[int, str]], items: Iterable[int]) -> dict[int, Seen]:
    """Exposures as (number of the item, custody), added up for every item."""
    counts: dict[int, Counter[str]] = {number: Counter() for number in items}
    for number, custody in rows:
        counts[number][custody] += 1
    return {number: Seen(dict(found)) for number, found in counts.items()}
