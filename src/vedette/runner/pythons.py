"""The interpreters that a sandbox can show."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from vedette.kernel.errors import MissingPart

SYSTEM_PATH = "/usr/bin:/usr/local/bin"  # what a sandbox shows of the host


def system_python() -> str:
    """The system's Python, as every sandbox shows it. Raises MissingPart."""
    path = shutil.which("python3", path=SYSTEM_PATH)
    if path is None:
        raise MissingPart(
            "services in Python need the system's own", next_step="apt-get install python3"
        )
    return path


def own_python() -> tuple[str, dict[str, Path]]:
    """The interpreter that runs this, and what to mount for it where it lies outside /usr."""
    program = str(Path(getattr(sys, "_base_executable", sys.executable)).resolve())
    prefixes = {sys.base_prefix, sys.base_exec_prefix}
    return program, {p: Path(p) for p in prefixes if not Path(p).is_relative_to("/usr")}
