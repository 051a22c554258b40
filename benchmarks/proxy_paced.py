"""Streams at a model's own pace, through each way at once or ten or a hundred of them.

The model sends a piece every 20 ms and stamps it with the machine's monotonic clock, which all its
processes share; the delay of a piece is from that stamp to its line in the caller's hands. What a
call takes around its pieces is its whole time without that from its first piece's stamp to its
last one's: being admitted and counted before, being settled after.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Protocol

from benchmarks.result import Result, Spread

PACE_MS, PIECES = 20, 50
SENT = re.compile(rb'"sent": (\d+)')
LAST_CHUNK = b"0\r\n"
KIB = 1024
NUMBERS = count()


class Way(Protocol):
    """One way to the model."""

    path: str
    credential: str
    model: str
    port: int


@dataclass
class Seen:
    """What the callers of one way saw: µs of each piece, ms around the pieces of each call."""

    pieces: list[float] = field(default_factory=list)
    calls: list[float] = field(default_factory=list)


def measure(ways: Mapping[str, Way], streams: int, quick: bool) -> list[Result]:
    """Delays by each way in turns, after one turn that does not count."""
    rounds, each = (1, 1) if quick else (3, max(1, 4 // streams))
    seen = {name: Seen() for name in ways}
    for turn in range(rounds + 1):
        for name, way in ways.items():
            asyncio.run(_together(way, streams, each, seen[name] if turn else Seen()))
    what = f"{streams} streams paced {PACE_MS} ms"
    pieces = {name: Spread.of(found.pieces) for name, found in seen.items()}
    calls = {name: Spread.of(found.calls) for name, found in seen.items()}
    return [
        *_beside(f"delay of a piece, {what}", "µs", pieces),
        *_beside(f"call around its pieces, {what}", "ms", calls),
    ]


def _beside(name: str, unit: str, spreads: Mapping[str, Spread]) -> list[Result]:
    ours, found = spreads["ours"], []
    for way, called in (("model", "the model itself"), ("nginx", "bare nginx")):
        if way in spreads:
            peer = spreads[way]
            note = (
                f"{ours.median - peer.median:.3g} {unit} added at the median,"
                f" {ours.p95 - peer.p95:.3g} at the 95th percentile"
            )
            found.append(Result(name, unit, ours, peer, called, note))
    return found


async def _together(way: Way, streams: int, each: int, seen: Seen) -> None:
    apart = PACE_MS / 1000 / streams
    await asyncio.gather(*(_caller(way, number * apart, each, seen) for number in range(streams)))


async def _caller(way: Way, after: float, each: int, seen: Seen) -> None:
    await asyncio.sleep(after)
    reader, writer = await asyncio.open_connection("127.0.0.1", way.port)
    try:
        for _ in range(each):
            await _call(way, reader, writer, seen)
    finally:
        writer.close()


async def _call(
    way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: Seen
) -> None:
    started = time.perf_counter_ns()
    writer.write(_request(way))
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n")[0]:
        raise RuntimeError(f"{way.path}: {head[:200]!r}")
    stamps: list[int] = []
    while (line := await reader.readline()) != LAST_CHUNK:
        now = time.perf_counter_ns()
        if sent := SENT.search(line):
            stamps.append(int(sent[1]))
            seen.pieces.append((now - stamps[-1]) / 1e3)
        elif not line:
            break
    await reader.readline()
    around = time.perf_counter_ns() - started - (stamps[-1] - stamps[0])
    if len(stamps) != PIECES:
        raise RuntimeError(f"{way.path}: {len(stamps)} pieces of {PIECES}")
    seen.calls.append(around / 1e6)


def _request(way: Way) -> bytes:
    asked = {
        "model": way.model,
        "messages": [],
        "stream": True,
        "max_tokens": PIECES,
        "pace_ms": PACE_MS,
    }
    body = json.dumps(asked).encode()
    head = (
        f"POST {way.path} HTTP/1.1\r\nHost: 127.0.0.1:{way.port}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"Authorization: Bearer {way.credential}\r\n"
        f"X-Vedette-Request: paced-{next(NUMBERS)}\r\nX-Vedette-Purpose: confirmation\r\n\r\n"
    )
    return head.encode() + body


def memory(pid: int) -> float:
    """MiB of a server and the processes that it serves with (its worker for jobs apart)."""
    return sum(_own(each) for each in _family(pid)) / KIB


def _family(pid: int) -> list[int]:
    if Path(f"/proc/{pid}/cmdline").read_bytes().endswith(b"vedette\0worker\0"):
        return []
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    return [pid, *(each for child in children for each in _family(int(child)))]


def _own(pid: int) -> int:
    """KiB of a process, what it shares with others divided among them."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
    found = re.search(r"^Pss: +(\d+) kB", rollup, re.MULTILINE)
    return int(found[1]) if found else 0
