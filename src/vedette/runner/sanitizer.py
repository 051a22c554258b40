"""Reads what AddressSanitizer and UndefinedBehaviorSanitizer report, and what watches a rule
(`inside/watched.py`). Pure: text in, facts out.

Source of the report form: LLVM and GCC libsanitizer (`==PID==ERROR: AddressSanitizer: KIND ...`,
frames `#N 0xADDR in FUNCTION FILE:LINE` or `(MODULE+0xOFFSET)`).

Rules:
- Only the first report counts, and of it only the first stack: where the error happened.
- The top frame is the first that belongs to the program: no interceptor, allocator, sanitizer
  or C library function.
- Without a report, a signal that means a memory fault is a crash of its own without a stack.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

MOST_FRAMES = 64
FATAL_SIGNALS = {4: "SIGILL", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 11: "SIGSEGV"}

_ASAN = re.compile(r"^==\d+==\s*ERROR: (?:Address|Leak)Sanitizer:? (.+)$", re.MULTILINE)
_UBSAN = re.compile(r"^(\S+?):(\d+):(?:\d+:)? runtime error: (.+)$", re.MULTILINE)
_RULE = re.compile(r"^==\d+==ERROR: RuleWatch: (rule-broken|goal-reached): (.+)$", re.MULTILINE)
_ACCESS = re.compile(r"^(READ|WRITE) of size \d+", re.MULTILINE)
_SIGNAL_ACCESS = re.compile(r"caused by a (READ|WRITE) memory access")
_FRAME = re.compile(
    r"^\s*#(\d+) 0x[0-9a-f]+(?: in (.*?))?(?: +(\S+:\d+(?::\d+)?|\(\S+\+0x[0-9a-f]+\)))?"
    r"(?: \(BuildId: [0-9a-f]+\))?\s*$"
)
_PLACE = re.compile(r"^(.*?):(\d+)(?::\d+)?$")
_MODULE = re.compile(r"^\((\S+)\+0x([0-9a-f]+)\)$")
_NOT_OURS = re.compile(
    r"(?:_{2,3}interceptor_|__asan_|__ubsan_|__sanitizer_|__lsan_|__libc_|__GI_|_IO_|__mem|__str"
    r"|__pthread_|__assert_fail)"
    r"|(?:_start|operator (?:new|delete).*|mem(?:cpy|move|set|cmp|chr)|v?(?:s|sn|f)?printf"
    r"|str(?:n?cpy|n?cmp|n?cat|n?len|r?chr|n?dup|tok)|malloc|calloc|realloc|free|abort|raise"
    r"|gsignal|pthread_kill)\Z"
)
_LIBRARIES = re.compile(r"(?:^|/)(?:libasan|libubsan|libc|ld-linux[^/]*|libpthread)\.so")


@dataclass(frozen=True)
class Frame:
    """One frame; `offset` into `module` where symbols are missing, else file and line."""

    function: str
    file: str = ""
    line: int = 0
    module: str = ""
    offset: int = 0

    @property
    def name(self) -> str:
        """The function, or module and offset where its symbol was stripped."""
        return self.function or f"{PurePosixPath(self.module).name}+0x{self.offset:x}"


@dataclass(frozen=True)
class Crash:
    """A memory error: its class, access (`WRITE of size 4`) and stack, innermost frame first."""

    kind: str
    access: str
    frames: tuple[Frame, ...]
    top_frame: str
    summary: str

    @property
    def stack(self) -> tuple[str, ...]:
        """Names of the program's own frames, innermost first."""
        return tuple(frame.name for frame in self.frames if _is_ours(frame))


def parse_report(stderr: bytes, signal: int | None = None) -> Crash | None:
    """Return the first crash that `stderr` reports or `signal` tells of, None when neither does."""
    text = stderr.decode("utf-8", "replace")
    asan = _ASAN.search(text)
    if asan is not None:
        return _from_asan(asan.group(1), text[asan.end() :])
    rule = _RULE.search(text)
    if rule is not None:
        return _crash(rule.group(1), rule.group(2)[:120], _first_stack(text[rule.end() :]))
    ubsan = _UBSAN.search(text)
    if ubsan is not None:
        return _from_ubsan(ubsan, text[ubsan.end() :])
    if signal in FATAL_SIGNALS:
        name = FATAL_SIGNALS[signal]
        return Crash(name, "", (), "", f"ended by {name} without a report")
    return None


def _from_asan(headline: str, rest: str) -> Crash:
    kind = headline.split(" ", 1)[0].rstrip(":,")
    if headline.startswith("attempting "):
        kind = headline.removeprefix("attempting ").split(" on ")[0].replace(" ", "-")
    frames = _first_stack(rest)
    access = _ACCESS.search(rest)
    by_signal = _SIGNAL_ACCESS.search(rest)
    said = access.group(0) if access else by_signal.group(1) if by_signal else ""
    return _crash(kind, said, frames)


def _from_ubsan(match: re.Match[str], rest: str) -> Crash:
    frames = _first_stack(rest) or (Frame("", match.group(1), int(match.group(2))),)
    return _crash("undefined-behaviour", match.group(3)[:120], frames)


def _crash(kind: str, access: str, frames: tuple[Frame, ...]) -> Crash:
    top = next((frame.name for frame in frames if _is_ours(frame)), "")
    where = f" in {top}" if top else ""
    said = f", {access}" if access else ""
    return Crash(kind[:80], access, frames, top, f"{kind[:80]}{where}{said}")


def _first_stack(text: str) -> tuple[Frame, ...]:
    frames: list[Frame] = []
    for line in text.splitlines():
        match = _FRAME.match(line)
        if match is None:
            if frames:
                break
            continue
        if int(match.group(1)) != len(frames) or len(frames) == MOST_FRAMES:
            break
        frames.append(_frame(match.group(2) or "", match.group(3) or ""))
    return tuple(frames)


def _frame(function: str, place: str) -> Frame:
    function = function.strip()[:200]
    module = _MODULE.match(place)
    if module is not None:
        return Frame(function, module=module.group(1), offset=int(module.group(2), 16))
    source = _PLACE.match(place)
    if source is not None:
        return Frame(function, source.group(1), int(source.group(2)))
    return Frame(function)


def _is_ours(frame: Frame) -> bool:
    if frame.module and _LIBRARIES.search(frame.module):
        return False
    if "libsanitizer" in frame.file or "compiler-rt" in frame.file or "sysdeps/" in frame.file:
        return False
    return not _NOT_OURS.match(frame.function) and bool(frame.name.strip("+0x"))
