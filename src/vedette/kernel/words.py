"""Numbers in sentences."""

from __future__ import annotations

from collections.abc import Iterable


def versioned(name: str, version: str) -> str:
    """A name with its version, once: some names end in it."""
    before = name.removesuffix(version)
    said = before != name and not before[-1:].isdigit() and not before.endswith(".")
    return name if said or not version else f"{name} {version}"


def counted(number: int, one: str, many: str = "") -> str:
    """So many of a thing, in words: "1 match", "1,204 matches"; `many` where an s is not enough."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def ranges(numbers: Iterable[int]) -> str:
    """Whole numbers in order, runs of three or more drawn together: "1 to 3, 5, 7, 8"."""
    found: list[list[int]] = []
    for number in sorted(set(numbers)):
        if found and number == found[-1][-1] + 1:
            found[-1].append(number)
        else:
            found.append([number])
    return ", ".join(
        f"{run[0]:,} to {run[-1]:,}" if len(run) > 2 else ", ".join(f"{n:,}" for n in run)
        for run in found
    )
