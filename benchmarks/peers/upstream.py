"""A trivial model behind OpenAI's address: `python upstream.py PORT`; one fixed answer, at once.

With `pace_ms` in the request a stream's pieces come that far apart, each with the time at which it
was sent (ns of the monotonic clock). asyncio's streams, no framework: what it takes is taken from
every way alike.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator

USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
WHOLE = json.dumps({"id": "1", "object": "chat.completion", "choices": [], "usage": USAGE}).encode()
WORD = b'data: {"choices": [{"delta": {"content": "word"}}]}\n\n'
STAMPED = b'data: {"choices": [{"delta": {"content": "word"}}], "sent": %d}\n\n'
END = [
    b'data: {"choices": [], "usage": ' + json.dumps(USAGE).encode() + b"}\n\n",
    b"data: [DONE]\n\n",
]


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = head.partition("content-length:")[2].split("\r\n")[0].strip()
            body = await reader.readexactly(int(length or 0))
            if b'"stream": true' in body:
                asked = json.loads(body)
                await stream(writer, asked.get("max_tokens", 20), asked.get("pace_ms", 0))
            else:
                start = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
                writer.write(start + b"%d\r\n\r\n" % len(WHOLE) + WHOLE)
                await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def stream(writer: asyncio.StreamWriter, words: int, pace_ms: int) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n")
    writer.write(b"Transfer-Encoding: chunked\r\n\r\n")
    async for chunk in paced(words, pace_ms / 1000) if pace_ms else at_once(words):
        writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    await writer.drain()


async def at_once(words: int) -> AsyncIterator[bytes]:
    for chunk in [*[WORD] * words, *END]:
        yield chunk


async def paced(words: int, pace: float) -> AsyncIterator[bytes]:
    started = time.monotonic()
    for number in range(words):
        await asyncio.sleep(started + number * pace - time.monotonic())
        yield STAMPED % time.perf_counter_ns()
    for chunk in END:
        yield chunk


async def main(port: int) -> None:
    async with await asyncio.start_server(serve, "127.0.0.1", port) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
