"""A model behind OpenAI's older and newer addresses: text completions and Responses.

Source: OpenAI API reference (Completions, Responses, Streaming events).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TEXT = "An otter, because it plays."
PIECES = ("An otter,", " because", " it plays.")
COMPLETION_USAGE = {"prompt_tokens": 5, "completion_tokens": 8, "total_tokens": 13}
RESPONSE_USAGE = {
    "input_tokens": 6,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 9,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 15,
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        return

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        make = {"/v1/completions": completions, "/v1/responses": responses}[self.path]
        whole, events = make(body)
        if not body.get("stream"):
            self._send("application/json", json.dumps(whole).encode())
        else:
            self._send("text/event-stream", "".join(events).encode())

    def _send(self, kind: str, data: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def completions(body: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Text completions; a stream names its usage where it is asked to, and not else."""
    base = {"id": "cmpl-1", "object": "text_completion", "created": 0, "model": body["model"]}

    def choices(text: str, ended: str | None) -> list[dict[str, Any]]:
        return [{"index": 0, "text": text, "logprobs": None, "finish_reason": ended}]

    chunks = [{**base, "choices": choices(piece, None)} for piece in PIECES]
    if (body.get("stream_options") or {}).get("include_usage"):
        chunks.append({**base, "choices": [], "usage": COMPLETION_USAGE})
    events = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    whole = {**base, "choices": choices(TEXT, "stop"), "usage": COMPLETION_USAGE}
    return whole, [*events, "data: [DONE]\n\n"]


def responses(body: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Responses; the stream's last event has the whole answer with its usage."""
    content = [{"type": "output_text", "text": TEXT, "annotations": []}]
    message = {"id": "msg-1", "type": "message", "role": "assistant", "status": "completed"}
    whole: dict[str, Any] = {
        "id": "resp-1",
        "object": "response",
        "created_at": 0,
        "status": "completed",
        "model": body["model"],
        "output": [{**message, "content": content}],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": RESPONSE_USAGE,
    }
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    place = {"item_id": "msg-1", "output_index": 0, "content_index": 0, "logprobs": []}
    deltas = [{"type": "response.output_text.delta", **place, "delta": p} for p in PIECES]
    told = [
        {"type": "response.created", "response": begun},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {**message, "status": "in_progress", "content": []},
        },
        {
            "type": "response.content_part.added",
            **place,
            "part": {**content[0], "text": ""},
        },
        *deltas,
        {"type": "response.output_text.done", **place, "text": TEXT},
        {"type": "response.content_part.done", **place, "part": content[0]},
        {"type": "response.output_item.done", "output_index": 0, "item": whole["output"][0]},
        {"type": "response.completed", "response": whole},
    ]
    events = [
        f"event: {event['type']}\ndata: {json.dumps({**event, 'sequence_number': number})}\n\n"
        for number, event in enumerate(told)
    ]
    return whole, events


@contextmanager
def running() -> Iterator[str]:
    """Its base address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        finally:
            server.shutdown()
            thread.join()
