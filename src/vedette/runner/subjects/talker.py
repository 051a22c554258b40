"""A stand-in that answers plain questions in words, with a model's sampling noise.

It knows phrases and how likely each follows which, as a small language model would; temperature
sharpens or flattens that. Another build is the same talker with some of its odds changed: what a
fine-tuning, a system prompt or a quantisation does to a model's answers, in a size that can be
chosen. So a fingerprint can be tried, and its errors counted, without any model.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Sequence

from vedette.runner.subjects.conversation import Act, Conversation

OPENINGS = (
    *("I would say", "Perhaps", "My suggestion is", "One idea:", "Most people would pick"),
    *("To me,", "Well,", "A good choice is", "Let me think:", "Without doubt"),
)
SUBJECTS = (
    *("the old lighthouse", "a quiet garden", "warm bread", "the first snow", "a patient friend"),
    *("the evening train", "a small violin", "the harbour at dawn", "green lentils", "an otter"),
    *("the north wind", "a wooden bench", "the morning market", "a blue kite", "the tall fern"),
)
VERBS = (
    *("brings", "remembers", "asks for", "is worth", "carries", "gives people"),
    *("waits for", "teaches", "sounds like", "keeps"),
)
ENDINGS = (
    *("a little calm.", "more time.", "the long way home.", "a second look.", "its own light."),
    *("good company.", "very little water.", "the sound of rain.", "an early start."),
    *("what others forget.", "a story.", "half an hour."),
)
PARTS: tuple[Sequence[str], ...] = (OPENINGS, SUBJECTS, VERBS, ENDINGS)


class Talker:
    """One build.

    Args:
        build: its name; builds of different names have different odds.
        drift: how far from the common odds this build is, from 0 (not at all) to 1.
        temperature: used where a request names none.
    """

    def __init__(self, build: str = "", drift: float = 0.0, temperature: float = 1.0) -> None:
        self.build, self.drift, self.temperature = build, drift, temperature
        self._noise = random.Random()  # noqa: S311 - sampling noise, no secret

    def seeded(self, seed: int) -> Talker:
        """Make its noise repeatable, for tests and measurements."""
        self._noise = random.Random(seed)  # noqa: S311
        return self

    def answer(self, question: str, temperature: float | None = None) -> str:
        """One sampled answer to a question."""
        heat = self.temperature if temperature is None else temperature
        words = [self._pick(question, part, heat) for part in range(len(PARTS))]
        return " ".join(words)

    def _pick(self, question: str, part: int, heat: float) -> str:
        words = PARTS[part]
        scores = [self._score(question, part, word) for word in words]
        if heat <= 0:
            return words[scores.index(max(scores))]
        odds = [math.exp(score / heat) for score in scores]
        return self._noise.choices(words, odds)[0]

    def _score(self, question: str, part: int, word: str) -> float:
        common = _number("", question, str(part), word)
        if not self.drift:
            return common
        own = _number(self.build, question, str(part), word)
        return (1 - self.drift) * common + self.drift * own


def _number(*parts: str) -> float:
    """A number about -2 to 2 that depends on `parts` alone."""
    found = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(found[:4], "big") / 2**30 - 2


def talk(
    talker: Talker, conversation: Conversation, limit: int | None, temperature: float | None
) -> Act:
    """Answer a conversation's question, within a limit of tokens (four characters each)."""
    text = talker.answer(conversation.question, temperature)
    if limit is not None and len(text) > 4 * limit:
        return Act(text=text[: 4 * limit], cut=True)
    return Act(text=text)
