"""Exchange: messages lost and doubled on the way until both ledgers agree; a large attachment.

Two instances in files, a lab's and an office's, each command and server a process of its own. By
HTTP a go-between on loopback drops a request or an answer, or hands a request in twice, one time in
ten. By file one line in ten is lost or doubled, all are shuffled, and receipts go back. Each
message is an offer, which founds an act with a key of its own at the office. The floor posts the
same envelopes to a bare server, once each, none lost, one row and one commit through to the disk
for each; or it signs, verifies and commits as many. The attachment crosses sealed in chunks to a
served instance; its peers are cp with sync, and curl from a bare server.
"""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from benchmarks.child import VEDETTE, cost, output
from benchmarks.instances import clock, found, free_port, running, served, tell_story
from benchmarks.peers import committing
from benchmarks.result import Result, Spread, tell, timed
from vedette.kernel.keys import PrivateKeys

ONE_IN = 10
MIB = 1024 * 1024
CHANCE = random.Random(4)  # noqa: S311


def run(quick: bool) -> list[Result]:
    numbers = (20, 60) if quick else (1_000, 3_000, 10_000)
    sizes = (20 * MIB,) if quick else (64 * MIB, 256 * MIB, 1024 * MIB)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return [
            *(by_http(folder / f"http-{number}", number) for number in numbers),
            by_file(folder / "file", numbers[-1]),
            *(each for size in sizes for each in attachment(folder / f"attached-{size}", size)),
        ]


def once(value: float) -> Spread:
    return Spread.of([value])


def by_http(folder: Path, number: int) -> Result:
    """Queue messages at the lab, then have them cross; only the crossing is timed."""
    port = pair(folder, number)
    floor = posted(folder, envelopes(folder / "lab"))
    return crossed(folder, port, number, "HTTP", over_http, floor, "bare posts, each committed")


def by_file(folder: Path, number: int) -> Result:
    port = pair(folder, number)
    floor = timed(lambda: sign_and_commit(folder, number))
    name = "signed, verified, committed one by one"
    return crossed(folder, port, number, "file", over_files, floor, name)


def crossed(
    folder: Path,
    port: int,
    number: int,
    way: str,
    cross: Callable[[Path, int], tuple[float, str]],
    floor: float,
    floor_name: str,
) -> Result:
    seconds, note = cross(folder, port)
    what = f"{number:,} messages by {way}, until both ledgers agree"
    tell(f"{what}: {seconds:.0f} s, {floor_name} {floor:.0f} s; {note}")
    ours, bare = once(number / seconds), once(number / floor)
    return Result(what, "a second", ours, bare, floor_name, note)


def envelopes(instance: Path) -> list[bytes]:
    with sqlite3.connect(instance / "db.sqlite3") as database:
        return [
            row[0].encode() for row in database.execute("SELECT envelope FROM store_outmessage")
        ]


def posted(folder: Path, bodies: list[bytes]) -> float:
    port, file = free_port(), str(folder / "bare.sqlite3")
    bare = [sys.executable, "-m", "benchmarks.peers.committing", str(port), file]
    with running(bare, port, "/", {}):
        return timed(lambda: committing.post(port, bodies))


def pair(folder: Path, number: int) -> int:
    """A lab and an office that know each other, and messages queued at the lab."""
    folder.mkdir()
    port = 0
    for profile in ("lab", "office"):
        port = found(folder / profile, profile)
        card = folder / f"{profile}.card"
        card.write_text(vedette(folder, profile, "exchange", "card"), "utf-8")
    vedette(folder, "office", "exchange", "peer", "add", str(folder / "lab.card"))
    # by the go-between where there is one, by file otherwise
    told = json.loads((folder / "office.card").read_text("utf-8"))
    told["url"] = f"http://127.0.0.1:{free_port()}" if folder.name != "file" else ""
    (folder / "office.card").write_text(json.dumps(told), "utf-8")
    vedette(folder, "lab", "exchange", "peer", "add", str(folder / "office.card"))
    if number:
        tell_story("offers", folder / "lab", number)
    return port


def vedette(folder: Path, profile: str, *arguments: str) -> str:
    return output([*VEDETTE, *arguments], clock(folder / profile))


def over_http(folder: Path, port: int) -> tuple[float, str]:
    """Deliver through a go-between that loses and doubles, until nothing is queued.

    Returns the seconds, without those in which the server starts and ends, and what happened.
    """
    between = int(json.loads((folder / "office.card").read_text("utf-8"))["url"].rpartition(":")[2])
    rounds = 0
    with served(folder / "office", port), go_between(between, port) as counts:
        started = time.perf_counter()
        while not agreed(folder):
            vedette(folder, "lab", "exchange", "send")
            rounds += 1
        seconds = time.perf_counter() - started
    lost, doubled = counts["lost"], counts["doubled"]
    return seconds, f"{counts['all']} requests, {lost} lost, {doubled} doubled, {rounds} rounds"


@contextmanager
def go_between(port: int, to: int) -> Iterator[dict[str, int]]:
    """Forward to `to`; lose the request or its answer, or hand it in twice, one time in ten."""
    counts = {"all": 0, "lost": 0, "doubled": 0}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            counts["all"] += 1
            fate = CHANCE.randrange(4 * ONE_IN)
            if fate == 0:
                counts["lost"] += 1
                return
            status, answer = forward(self.path, body)
            if fate == 1:
                counts["lost"] += 1
                return
            if fate in (2, 3):
                counts["doubled"] += 1
                status, answer = forward(self.path, body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            with suppress(OSError):  # who asked may have gone
                self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            return

    def forward(path: str, body: bytes) -> tuple[int, bytes]:
        connection = HTTPConnection("127.0.0.1", to, timeout=60)
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield counts
    finally:
        server.shutdown()
        server.server_close()


def over_files(folder: Path, _: int) -> tuple[float, str]:
    """Carry files whose lines are lost, doubled and moved, and receipts back, until both agree."""
    counts, rounds = {"all": 0, "lost": 0, "doubled": 0}, 0
    file = folder / "carried.jsonl"
    started = time.perf_counter()
    while not agreed(folder):
        vedette(folder, "lab", "exchange", "export", "--again", str(file))
        lines = []
        for line in file.read_text("utf-8").splitlines(keepends=True):
            fate = CHANCE.randrange(2 * ONE_IN)
            lines += [line] * (0 if fate == 0 else 2 if fate == 1 else 1)
            counts["all"] += 1
            counts["lost"] += fate == 0
            counts["doubled"] += fate == 1
        CHANCE.shuffle(lines)
        file.write_text("".join(lines), "utf-8")
        vedette(folder, "office", "exchange", "import", str(file))
        receipts = f"{file}.receipts.jsonl"
        if Path(receipts).exists():
            vedette(folder, "lab", "exchange", "import", receipts)
        rounds += 1
    seconds = time.perf_counter() - started
    return seconds, f"{counts['lost']} lines lost, {counts['doubled']} doubled, {rounds} rounds"


def agreed(folder: Path) -> bool:
    """Whether both ledgers name the same messages, the lab's as delivered."""
    sides = [("lab", "message:message:delivered"), ("office", "message:message:accepted")]
    sent = named(folder / "lab", "message:message:sent")
    return all(named(folder / profile, event) >= sent for profile, event in sides)


def named(folder: Path, event: str) -> set[str]:
    query = "SELECT message_id FROM store_ledgerentry WHERE event = ?"
    with sqlite3.connect(folder / "db.sqlite3") as database:
        return {row[0] for row in database.execute(query, (event,))}


def sign_and_commit(folder: Path, number: int) -> None:
    keys, body = PrivateKeys.generate(), b"x" * 900
    with sqlite3.connect(folder / "floor.sqlite3", isolation_level=None) as database:
        database.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE message (id INTEGER PRIMARY KEY, body BLOB, sig BLOB)")
        for each in range(number):
            signature = keys.sign(body)
            assert keys.public.verify(signature, body)
            database.execute("INSERT INTO message VALUES (?, ?, ?)", (each, body, signature))


def attachment(folder: Path, size: int) -> list[Result]:
    """Send one file from a worker to a served instance; their largest memory, and the rate."""
    port = pair(folder, 0)
    told = json.loads((folder / "office.card").read_text("utf-8"))
    told["url"] = f"http://127.0.0.1:{port}"
    (folder / "office.card").write_text(json.dumps(told), "utf-8")
    vedette(folder, "lab", "exchange", "peer", "add", str(folder / "office.card"))
    file = folder / "large.bin"
    with file.open("wb") as out:
        for _ in range(size // MIB):
            out.write(CHANCE.randbytes(MIB))
    attach = ["exchange", "attach", str(file), "--peer", told["name"], "--instance"]
    attached = cost([*VEDETTE, *attach, str(folder / "lab")])
    work = [*VEDETTE, "worker", "--once", "--instance", str(folder / "lab")]
    with served(folder / "office", port):
        sent = cost(work)
        taken = max(map(peak_memory, children("serve", folder / "office")))
    (listed,) = json.loads(vedette(folder, "office", "exchange", "attachments", "--json"))
    if listed["state"] != "here":
        raise RuntimeError(f"the attachment is {listed['state']}: {listed['reason']}")
    copied, fetched = copy(file), fetch(file)
    mib = size / MIB
    rate, whole = once(mib / sent.seconds), f"{mib:,.0f} MiB attachment"
    tell(f"{whole}: {sent.seconds:.0f} s; sender {sent.memory:.0f}, receiver {taken:.0f} MiB")
    results = [
        Result(f"{whole}, sent and taken in", "MiB/s", rate, copied, "cp and sync"),
        Result(f"{whole}, largest memory of attach", "MiB", once(attached.memory)),
        Result(f"{whole}, largest memory of the sender", "MiB", once(sent.memory)),
        Result(f"{whole}, largest memory of the receiver", "MiB", once(taken)),
    ]
    if fetched:
        results.insert(1, Result(f"{whole}, sent", "MiB/s", rate, fetched, "curl"))
    return results


def copy(file: Path) -> Spread:
    target = str(file) + ".copy"
    seconds = timed(lambda: output(["sh", "-c", f"cp {file} {target} && sync {target}"]))
    return once(file.stat().st_size / MIB / seconds)


def fetch(file: Path) -> Spread | None:
    """What curl fetches from a bare server, through to the disk."""
    if not shutil.which("curl"):
        return None
    port = free_port()
    bare = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    with running([*bare, "--directory", str(file.parent)], port, "/", {}):
        address, target = f"http://127.0.0.1:{port}/{file.name}", f"{file}.fetched"
        work = ["sh", "-c", f"curl -sS -o {target} {address} && sync {target}"]
        seconds = timed(lambda: output(work))
    return once(file.stat().st_size / MIB / seconds)


def children(word: str, folder: Path) -> list[int]:
    """The processes of a command on an instance, and those that they started."""
    mine = [
        int(path.parent.name)
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if str(folder).encode() in _read(path) and word.encode() in _read(path)
    ]
    below = [
        int(pid)
        for parent in mine
        for pid in _read(Path(f"/proc/{parent}/task/{parent}/children")).split()
    ]
    return sorted({*mine, *below})


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def peak_memory(pid: int) -> float:
    """The largest resident memory that a process has had so far, in MiB."""
    for line in _read(Path(f"/proc/{pid}/status")).splitlines():
        if line.startswith(b"VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0
