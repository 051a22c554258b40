"""What an execution leaves behind: crash class and stack frames, brought to one form.

Rules:
- A crash class is a sanitizer's own name (`heap-buffer-overflow`), whoever spells it how; a CWE id
  stands in where no text names one.
- A frame is its function without address, arguments, template arguments, file and line; frames of
  the sanitizer, the allocator and the abort machinery say nothing and are left out.
- Every pattern is linear in its input: report text is hostile.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from vedette.clearinghouse.findings import Finding

TOP = 3

# words in a report, in the order in which they are looked for -> crash class
_CLASSES: tuple[tuple[str, str], ...] = (
    ("heap-buffer-overflow", "heap-buffer-overflow"),
    ("heap-buffer-underflow", "heap-buffer-overflow"),
    ("stack-buffer-overflow", "stack-buffer-overflow"),
    ("stack-buffer-underflow", "stack-buffer-overflow"),
    ("dynamic-stack-buffer-overflow", "stack-buffer-overflow"),
    ("global-buffer-overflow", "global-buffer-overflow"),
    ("container-overflow", "container-overflow"),
    ("heap-use-after-free", "use-after-free"),
    ("use-after-free", "use-after-free"),
    ("use-after-poison", "use-after-poison"),
    ("use-after-return", "stack-use-after-return"),
    ("use-after-scope", "stack-use-after-scope"),
    ("double-free", "double-free"),
    ("bad-free", "bad-free"),
    ("invalid-free", "bad-free"),
    ("use-of-uninitialized-value", "uninitialised-value"),
    ("stack-overflow", "stack-exhaustion"),
    ("stack-exhaustion", "stack-exhaustion"),
    ("null-dereference", "null-dereference"),
    ("null-pointer-dereference", "null-dereference"),
    ("null-deref", "null-dereference"),
    ("divide-by-zero", "division-by-zero"),
    ("division-by-zero", "division-by-zero"),
    ("integer-overflow", "integer-overflow"),
    ("index-out-of-bounds", "index-out-of-bounds"),
    ("bad-cast", "bad-cast"),
    ("out-of-memory", "out-of-memory"),
    ("memory-leak", "memory-leak"),
    ("segv", "segv"),
    ("unknown-read", "segv"),
    ("unknown-write", "segv"),
    ("segmentation-fault", "segv"),
)
_CLASS_OF_WEAKNESS = {
    "CWE-121": "stack-buffer-overflow",
    "CWE-122": "heap-buffer-overflow",
    "CWE-190": "integer-overflow",
    "CWE-369": "division-by-zero",
    "CWE-401": "memory-leak",
    "CWE-415": "double-free",
    "CWE-416": "use-after-free",
    "CWE-457": "uninitialised-value",
    "CWE-476": "null-dereference",
    "CWE-674": "stack-exhaustion",
    "CWE-908": "uninitialised-value",
}
_SEPARATORS = re.compile(r"[\s_-]+")
_FRAME_HEAD = re.compile(r"^\s*#?\d*:?\s*(?:0x[0-9a-fA-F]+\s+)?(?:in\s+)?")
_FRAME_TAIL = re.compile(r"\s+(?:\(|at\s|/|[A-Za-z]:\\|<)")
_LOCATION = re.compile(r"/|\.[a-z]{1,4}(?::|$)|:[0-9]|\+0x")
_CLONE = re.compile(r"\.(?:part|isra|constprop|cold|llvm)\.?[0-9]*")
_NOISE = re.compile(
    r"_?_?(?:asan|ubsan|msan|tsan|lsan|sanitizer|interceptor|interception)\b"
    r"|_*(?:asan|ubsan|msan|tsan|lsan|sanitizer|interceptor)_"
    r"|_?_?(?:libc_start|libc_start_main|libc_start_call_main|start|main)$"
    r"|_*pthread_kill(?:_implementation|_internal)?$"
    r"|(?:raise|abort|gsignal|__assert_fail|__assert_fail_base|__GI_raise|__GI_abort)$"
    r"|(?:malloc|calloc|realloc|free|memcpy|memmove|memset|strlen|strcpy|strcmp|memcmp)$"
    r"|operator (?:new|delete)|LLVMFuzzer|fuzzer::"
)


@dataclass(frozen=True)
class Crash:
    """Crash class ("" unknown) and the top frames, innermost first."""

    kind: str
    frames: tuple[str, ...]


def crash_of(finding: Finding) -> Crash:
    """Return the normalised crash of a finding."""
    frames = (frame_name(line) for line in finding.stack)
    kept = [name for name in frames if name and not _NOISE.match(name)]
    return Crash(crash_kind(finding), tuple(kept[:TOP]))


def crash_kind(finding: Finding) -> str:
    """Return the crash class that the text names, else the one its weakness implies, else ""."""
    for text in (finding.title, finding.description[:8_192], "\n".join(finding.stack[:4])):
        plain = _SEPARATORS.sub("-", unicodedata.normalize("NFKC", text).lower())
        found = [(plain.find(words), kind) for words, kind in _CLASSES if words in plain]
        if found:
            return min(found)[1]
    return next((_CLASS_OF_WEAKNESS[w] for w in finding.cwe if w in _CLASS_OF_WEAKNESS), "")


def frame_name(line: str) -> str:
    """Return the function that a line of a stack names: `a::f` of `#0 0x1 in a::f(int) a.c`."""
    text = _FRAME_HEAD.sub("", unicodedata.normalize("NFKC", line), count=1)
    tail = _FRAME_TAIL.search(text)
    text = text[: tail.start()] if tail else text
    text = _CLONE.sub("", _outside(text)).strip()
    if text.startswith("operator "):
        return text
    tokens = text.split()
    while len(tokens) > 1 and _LOCATION.search(tokens[-1]):
        tokens.pop()
    return tokens[-1] if tokens else ""


def _outside(text: str) -> str:
    """Return what stands outside of round and angle brackets."""
    kept, depth = [], 0
    for character in text:
        if character in "(<":
            depth += 1
        elif character in ")>":
            depth = max(0, depth - 1)
        elif depth == 0:
            kept.append(character)
    return "".join(kept)
