"""Small programs of ours in C, each built once by this machine's compiler, where there is one."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from vedette.kernel.canonical import digest


def default_cache() -> Path:
    """Return where builds are kept when nobody says otherwise."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "vedette" / "builds"


def built(source: Path) -> Path | None:
    """Return the program of a source, which ends with 2 when called without arguments.

    It is built when it isn't there yet; None without a compiler, or where it can't be kept and run.
    """
    program = _built(source)
    if program is not None and not program.exists():  # somebody emptied the cache meanwhile
        _built.cache_clear()
        program = _built(source)
    return program


@cache
def _built(source: Path) -> Path | None:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        return None
    made_of = digest(source.read_bytes()).removeprefix("sha256:")[:32]
    folder = default_cache() / f"{source.stem}-{platform.machine()}-{made_of}"
    program = folder / source.stem
    if program.exists():
        return program
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            made = Path(scratch) / source.stem
            for how in (["-static"], []):  # a static one starts sooner
                command = [compiler, "-std=c11", "-O2", *how, "-o", str(made), str(source)]
                if _ends(command, 0) and _ends([str(made)], 2):
                    made.replace(program)
                    return program
    except OSError:
        pass
    return None


def _ends(command: list[str], code: int) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == code
