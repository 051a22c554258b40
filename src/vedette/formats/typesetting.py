"""Runs Typst in a process of its own: `python -m vedette.formats.typesetting`.

Template, bytes of memory and seconds as arguments, data as JSON on standard input, a PDF on
standard output. A process, because what is set came from others: it has a bound on memory and time,
and can take nothing else down with it. No network, no packages, no file but the template.

A character that no font of this machine has can't be set in an accessible PDF: then the machine's
own fonts are tried too, and what still is missing is written out as (U+XXXX).
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

_MISSING = re.compile(r'the text `"((?:[^"\\]|\\.)*)"` could not be displayed')
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-f]+)\}|(.))")
ASCII = 0x7F


def pdf(template: Path, data: str) -> bytes:
    """Set `data` (JSON) with the template. Raises RuntimeError with the tool's own words."""
    import typst

    standards: typst.PDFStandards = ["a-2a", "ua-1"]
    own = typst.Fonts(include_system_fonts=False)
    system = False
    for _ in range(4):
        try:
            made: bytes = typst.compile(
                str(template),
                root=str(template.parent),
                sys_inputs={"data": data},
                pdf_standards=standards,
                font_paths=[] if system else own,
                ignore_system_fonts=not system,
            )
            return made
        except typst.TypstError as error:
            missing = set(_missing(error.diagnostic))
            if not missing:
                raise
            if system:
                data = "".join(written_out(c) if c in missing else c for c in data)
            system = True
    plain = "".join(written_out(c) if ord(c) > ASCII else c for c in data)
    made = typst.compile(
        str(template),
        root=str(template.parent),
        sys_inputs={"data": plain},
        pdf_standards=standards,
        font_paths=own,
        ignore_system_fonts=True,
    )
    return made


def written_out(char: str) -> str:
    return f"(U+{ord(char):04X})"


def _missing(diagnostic: str) -> str:
    """Every character that a diagnostic says no font could show.

    It names whole clusters, "1" with the sign over it; the fonts have ASCII, the JSON needs it.
    """
    found = "".join(_ESCAPE.sub(_unescaped, text) for text in _MISSING.findall(diagnostic))
    return "".join(char for char in found if ord(char) > ASCII)


def _unescaped(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else match[2]


def bound(memory: int, seconds: int) -> None:
    """Take no more than `memory` bytes and `seconds` of processor time from here on."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))


if __name__ == "__main__":
    bound(int(sys.argv[2]), int(sys.argv[3]))
    sys.stdout.buffer.write(pdf(Path(sys.argv[1]), sys.stdin.buffer.read().decode()))
