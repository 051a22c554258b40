"""Our own count of an answer's tokens, beside the one that its endpoint claims.

Rules:
- Ours is a quarter of the characters that were sent and received, rounded up; of an answer its
  text, its shown thinking and what it hands to tools count.
- A claim is odd when it names no usage, or differs from ours by more than FACTOR either way, SLACK
  tokens aside. Thinking that is counted but not shown may explain more output, never less.
- Odd is said, with both counts; it is no verdict. The claim is kept as it came.
- A budget is charged by the claim, and by ours where the claim is missing, too small, or more than
  is possible.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

FACTOR = 4
SLACK = 200
CHARACTERS_A_TOKEN = 4
# beyond this nothing is believed: no request's bytes hold so many tokens, no answer's do
UNSEEN_INPUT, UNSEEN_OUTPUT = 10_000, 200_000
_SAID = frozenset(
    {
        *("arguments", "content", "delta", "name", "partial_json", "refusal", "text", "thinking"),
        *("reasoning", "reasoning_content"),
    }
)
_SAID_BEFORE = frozenset({"response", "usage"})


@dataclass(frozen=True)
class Count:
    """Tokens (input, output): claimed, our own, and charged to a budget; `odd` says what is."""

    claimed: tuple[int, int]
    own: tuple[int, int]
    charged: tuple[int, int]
    odd: str = ""


def tokens_of(characters: int) -> int:
    """Our own count of that many characters."""
    return -(-characters // CHARACTERS_A_TOKEN)


def count(claimed: tuple[int, int], *, status: int, sent: int, received: int) -> Count:
    """Weigh a claim against what passed by.

    Args:
        claimed: (input, output) tokens as the answer's usage names them, zeros where it does not.
        status: the answer's HTTP status; other than 2xx nothing is odd and nothing charged.
        sent, received: characters of the request's body, and said in the answer.
    """
    own = tokens_of(sent), tokens_of(received)
    if not 200 <= status < 300:
        return Count(claimed, own, claimed)
    if not any(claimed):
        return Count(claimed, own, own, "no usage named")
    names, odd, charged = ("input", "output"), [], []
    unseen = UNSEEN_INPUT, UNSEEN_OUTPUT
    for name, theirs, ours, more in zip(names, claimed, own, unseen, strict=True):
        less, most = theirs * FACTOR + SLACK < ours, CHARACTERS_A_TOKEN * ours + more
        if less or theirs > ours * FACTOR + SLACK:
            odd.append(f"{theirs} {name} tokens claimed, {ours} by our count")
        charged.append(ours if less or theirs > most else theirs)
    return Count(claimed, own, (charged[0], charged[1]), "; ".join(odd))


def characters(answer: Any) -> int:
    """Characters said in a whole answer or in one event of a stream, of either maker's dialect.

    What an event repeats of earlier ones is left out.
    """
    if isinstance(answer, list):
        return sum(map(characters, answer))
    if not isinstance(answer, dict) or str(answer.get("type", "")).endswith(".done"):
        return 0
    found = 0
    for name, value in answer.items():
        if isinstance(value, str):
            found += len(value) if name in _SAID else 0
        elif name == "input" and isinstance(value, dict):
            found += len(str(value))
        elif name not in _SAID_BEFORE:
            found += characters(value)
    return found
