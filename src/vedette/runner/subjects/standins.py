"""The stand-ins that a server can play: each is a function from a conversation to the next act.

They call the same tools as any model would: `list_files`, `read_file`, `run_inputs`, `submit`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from vedette.runner.subjects import mutate
from vedette.runner.subjects.conversation import Act, Conversation

BATCH = 32
MAX_BATCHES = 64

_SAMPLE = re.compile(r"^(samples/\S+)", re.MULTILINE)
_SOURCE = re.compile(r"^(\S+\.(?:[ch]|py))\b", re.MULTILINE)
_CRASH = re.compile(r"^(\d+): crash\b", re.MULTILINE)


def mutator(conversation: Conversation) -> Act:
    """A simple but real finder: reads the samples, runs mutations, submits the first crash."""
    if conversation.of("submit"):
        return Act(text="I submitted the first input that crashed.")
    crashing = _first_crash(conversation)
    if crashing is not None:
        return Act((("submit", {"input_hex": crashing}),))
    listings = conversation.answers("list_files")
    if not listings:
        return Act((("list_files", {}),)) if not conversation.calls else _give_up()
    wanted = [*_SAMPLE.findall(listings[0])[:8], *_SOURCE.findall(listings[0])[:4]]
    unread = wanted[len(conversation.of("read_file")) :]
    if unread:
        return Act(tuple(("read_file", {"name": name}) for name in unread))
    return _next_batch(conversation, _samples(conversation), _words(conversation))


def random_bytes(conversation: Conversation) -> Act:
    """Runs random bytes and submits the first crash."""
    if conversation.of("submit"):
        return Act(text="I submitted the first input that crashed.")
    crashing = _first_crash(conversation)
    if crashing is not None:
        return Act((("submit", {"input_hex": crashing}),))
    return _next_batch(conversation, None, [])


def null(conversation: Conversation) -> Act:
    """Submits the empty input at once."""
    if conversation.of("submit"):
        return Act(text="I submitted the empty input.")
    return Act((("submit", {"input_hex": ""}),))


STAND_INS: dict[str, Callable[[Conversation], Act]] = {
    "mutator": mutator,
    "null": null,
    "random": random_bytes,
}


def random_inputs(key: bytes, count: int) -> list[bytes]:
    """Return `count` inputs of 1 to 256 random bytes; the same key gives the same inputs."""
    rng = random.Random(key)  # noqa: S311 - repeatable by intent, no secret
    return [rng.randbytes(rng.randrange(1, 257)) for _ in range(count)]


def _next_batch(conversation: Conversation, samples: list[bytes] | None, words: list[bytes]) -> Act:
    done = len(conversation.of("run_inputs"))
    last = conversation.answers("run_inputs")[-1:]
    if done >= MAX_BATCHES or (last and "used up" in last[0]):
        return _give_up()
    key = conversation.key(done)
    if samples is None:
        inputs = random_inputs(key, BATCH)
    else:
        inputs = mutate.batch(key, samples, words, BATCH)
    return Act((("run_inputs", {"inputs_hex": [data.hex() for data in inputs]}),))


def _give_up() -> Act:
    return Act(text="I found no input that crashes the program.")


def _first_crash(conversation: Conversation) -> str | None:
    for call in conversation.of("run_inputs"):
        inputs = call.arguments.get("inputs_hex")
        match = _CRASH.search(call.answer or "")
        if match and isinstance(inputs, list) and int(match[1]) < len(inputs):
            return str(inputs[int(match[1])])
    return None


def _samples(conversation: Conversation) -> list[bytes]:
    found = []
    for call in conversation.of("read_file"):
        if str(call.arguments.get("name", "")).startswith("samples/") and call.answer:
            try:
                found.append(bytes.fromhex(call.answer.strip()))
            except ValueError:
                continue
    return found or [b"\0" * 16]


def _words(conversation: Conversation) -> list[bytes]:
    sources = [
        call.answer
        for call in conversation.of("read_file")
        if call.answer and not str(call.arguments.get("name", "")).startswith("samples/")
    ]
    return mutate.dictionary(sources, _samples(conversation))
