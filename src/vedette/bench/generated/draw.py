"""What one generated item draws from its seed: numbers, flaw and fix, inputs, what they print.

Rules:
- The flawed and the fixed program differ in one expression.
- The reference input reaches the flaw under the item's knobs; the fixed program answers it with a
  fault.
- What harmless inputs print is worked out here, apart from the C program that prints it, so that
  certification sets one against the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

Script = tuple[list[bytes], int, list[str]]
"""Frames, ticks before them, and the lines that are printed before the last one; of a service in
Python also what it does outside, as `act` writes it."""


@dataclass(frozen=True)
class Draw:
    """One item's own part of a family: its numbers, its flaw and fix, its inputs.

    `edges` are inputs at and beside each limit of the program, and turns of its states.
    """

    values: Mapping[str, object]
    flawed: str
    fixed: str
    reference: list[bytes]
    scripts: tuple[Script, Script, Script]
    edges: tuple[list[bytes], ...]


def word(value: int) -> bytes:
    return value.to_bytes(2, "big")


def text(random: Random, size: int) -> bytes:
    return bytes(random.choices(b"abcdefghijklmnopqrstuvwxyz0123456789-.", k=size))


def act(name: str, *values: bytes) -> str:
    """What a service does outside, as the program prints it at its end."""
    return " ".join([f"> {name}", *(value.hex() for value in values)])
