"""Progress on stderr: one line that is rewritten, and nothing where stderr is no terminal."""

from __future__ import annotations

import shutil
import sys
from types import TracebackType


def shown() -> bool:
    """Whether somebody looks on."""
    return sys.stderr.isatty()


class ProgressLine:
    """Shows `done/total` and a text; use as a context manager so that the line is wiped.

    A `total` of 0 is not known: then how many are done is shown alone.
    """

    def __init__(self) -> None:
        self._shown = shown()

    def show(self, done: int, total: int, text: str) -> None:
        if not self._shown:
            return
        width = shutil.get_terminal_size().columns - 1
        filled = 20 * done // max(1, total)
        printable = "".join(c if c.isprintable() else "." for c in text)
        bar = f"[{'#' * filled}{'.' * (20 - filled)}] {done}/{total}" if total else f"{done:,}"
        line = f"{bar} {printable}"
        sys.stderr.write("\r\x1b[2K" + line[:width])
        sys.stderr.flush()

    def read(self, files: int) -> None:
        """Show how many files were read of nobody knows how many."""
        self.show(files, 0, "files read")

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
