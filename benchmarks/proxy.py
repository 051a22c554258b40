"""Access proxy: one call through a lab's instance, beside the model itself and a bare nginx.

A real instance with an open window behind `vedette serve`; each call is admitted, counted before it
goes out and settled after, two transactions that reach the disk. The model is a trivial one on
loopback that answers at once, whole or in 22 chunks. nginx (where it is installed) forwards
without looking. Every way is asked in turns, on kept connections. What a streamed token costs is
the time from a stream's first piece to its last, of 400 pieces as fast as they pass, by their
number. The same with pieces 20 ms apart, as a model thinks them: how late each one is, and what a
call takes around them (see `proxy_paced`). Memory is what the server holds after all of it.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from itertools import count
from pathlib import Path

from benchmarks import proxy_paced
from benchmarks.instances import found, free_port, running, served, tell_story
from benchmarks.result import Result, Spread

PATH = {"ours": "/proxy/v1/chat/completions", "model": "/v1/chat/completions"}
NUMBERS = count()
TOKENS = 400
NGINX = """
daemon off; pid {folder}/pid; error_log stderr error; worker_processes 1;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder};
  fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
  upstream model {{ server 127.0.0.1:{model}; keepalive 128; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffering off;
    }}
  }}
}}
"""


class Way:
    """One way to the model, with a kept connection for each caller."""

    def __init__(self, name: str, port: int, credential: str, model: str) -> None:
        self.path = PATH.get(name, PATH["model"])
        self.credential, self.model, self.port = credential, model, port

    def tokens(self, number: int) -> list[float]:
        """Microseconds a streamed token of each of `number` streams, from first piece to last."""
        spent: list[float] = []
        self.calls(number, True, TOKENS, spent)
        return spent

    def calls(
        self, number: int, stream: bool, tokens: int = 20, each: list[float] | None = None
    ) -> list[float]:
        """Milliseconds of each of `number` calls, one after the other, to the last byte."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        asked = {"model": self.model, "messages": [], "stream": stream, "max_tokens": tokens}
        body = json.dumps(asked)
        connection.connect()
        spent = []
        for _ in range(number):
            headers = {
                "Content-Type": "application/json",
                "Authorization": f"Bearer {self.credential}",
                "X-Vedette-Request": f"call-{next(NUMBERS)}",
                "X-Vedette-Purpose": "confirmation",
            }
            started = time.perf_counter()
            connection.request("POST", self.path, body, headers)
            answer = connection.getresponse()
            data = answer.read(1)
            first = time.perf_counter()
            data += answer.read()
            if each is not None:
                each.append(1e6 * (time.perf_counter() - first) / tokens)
            spent.append(1000 * (time.perf_counter() - started))
            if answer.status != 200 or b'"usage"' not in data:
                raise RuntimeError(f"{self.path}: {answer.status} {data[:200]!r}")
        connection.close()
        return spent

    def together(self, callers: int, number: int, stream: bool) -> tuple[list[float], float]:
        """The same by several callers at once, and their calls a second."""
        started = time.perf_counter()
        with ThreadPoolExecutor(callers) as pool:
            found = list(pool.map(lambda _: self.calls(number, stream), range(callers)))
        rate = callers * number / (time.perf_counter() - started)
        return [value for each in found for value in each], rate


def run(quick: bool) -> list[Result]:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder, model = Path(name), free_port()
        upstream = str(Path(__file__).parent / "peers" / "upstream.py")
        command = [sys.executable, upstream, str(model)]
        stack.enter_context(running(command, model, "/", {}))
        port = found(folder / "lab", "lab")
        told = tell_story("window", folder / "lab", f"http://127.0.0.1:{model}/v1")
        pids = {"ours": stack.enter_context(served(folder / "lab", port))}
        ports = {"ours": port, "model": model}
        if shutil.which("nginx"):
            ports["nginx"], pids["nginx"] = stack.enter_context(_nginx(folder / "nginx", model))
        ways = {n: Way(n, p, told["credential"], told["model"]) for n, p in ports.items()}
        results = []
        for stream in (False, True):
            for callers in (1, 10, 100):
                results += measure(ways, callers, stream, quick)
        for callers in (1, 10, 100):
            results += measure_tokens(ways, callers, quick)
        for streams in (1, 10, 100):
            results += proxy_paced.measure(ways, streams, quick)
        held = {name: Spread.of([proxy_paced.memory(pid)]) for name, pid in pids.items()}
        kept = Result("memory after 100 streams", "MiB", held["ours"])
        if "nginx" in held:
            kept = replace(kept, peer=held["nginx"], peer_name="bare nginx")
        return [*results, kept]


def measure_tokens(ways: dict[str, Way], callers: int, quick: bool) -> list[Result]:
    """What a streamed token takes by each way, with so many streams at once."""
    rounds, number = (1, 1) if quick else (4, max(1, 10 // callers))
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, way in ways.items():
            with ThreadPoolExecutor(callers) as pool:
                found = list(pool.map(lambda _, way=way: way.tokens(number), range(callers)))
            if turn:
                spent[name] += [value for each in found for value in each]
    time_of = {name: Spread.of(values) for name, values in spent.items()}
    what = f"streamed token, {callers} streams"
    results = [Result(what, "µs", time_of["ours"], time_of["model"], "the model itself")]
    if "nginx" in ways:
        added = time_of["ours"].median - time_of["nginx"].median
        note = f"{added:.0f} µs more than nginx"
        results.append(Result(what, "µs", time_of["ours"], time_of["nginx"], "bare nginx", note))
    return results


@contextmanager
def _nginx(folder: Path, model: int) -> Iterator[tuple[int, int]]:
    folder.mkdir()
    port = free_port()
    conf = folder / "nginx.conf"
    conf.write_text(NGINX.format(folder=folder, model=model, port=port))
    command = ["nginx", "-p", str(folder), "-c", str(conf), "-e", "stderr"]
    with running(command, port, "/", {}) as pid:
        yield port, pid


def measure(ways: dict[str, Way], callers: int, stream: bool, quick: bool) -> list[Result]:
    rounds, number = (1, 3) if quick else (4, max(2, 100 // callers))
    spent: dict[str, list[float]] = {name: [] for name in ways}
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, way in ways.items():
            times, rate = way.together(callers, number, stream)
            if turn:
                spent[name] += times
                rates[name].append(rate)
    time_of = {name: Spread.of(times) for name, times in spent.items()}
    rate_of = {name: Spread.of(found) for name, found in rates.items()}
    what = f"{'streamed' if stream else 'whole'}, {callers} at once"
    added = time_of["ours"].median - time_of["model"].median
    note = f"{added:.1f} ms added a call"
    ours, direct = time_of["ours"], "the model itself"
    results = [Result(f"call, {what}", "ms", ours, time_of["model"], direct, note)]
    if "nginx" in ways:
        results.append(Result(f"call, {what}", "ms", ours, time_of["nginx"], "bare nginx"))
    speed = Result(f"calls, {what}", "a second", rate_of["ours"], rate_of["model"], direct)
    return [*results, speed]
