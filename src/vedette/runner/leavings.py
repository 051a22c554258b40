"""What a sandboxed command left in its folder, read without following where it leads."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from vedette.kernel.bounds import MIB
from vedette.kernel.errors import BadInput


def read_out(workdir: Path, name: str, limit: int = MIB) -> bytes:
    """Read a regular file that a sandboxed command left directly in `workdir`.

    Symbolic links and everything else that is no regular file are refused, as is more than
    `limit` bytes. Raises BadInput.
    """
    if not name or "/" in name or name in {".", ".."} or "\0" in name:
        raise BadInput(f"sandbox output: {name[:60]!r} is no plain file name")
    folder = os.open(workdir, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        handle = os.open(name, flags, dir_fd=folder)
    except OSError as error:
        raise BadInput(f"sandbox output {name[:60]!r}: not taken ({error.strerror})") from None
    finally:
        os.close(folder)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise BadInput(f"sandbox output {name[:60]!r}: no regular file")
    with os.fdopen(handle, "rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise BadInput(f"sandbox output {name[:60]!r}: more than {limit:,} bytes")
    return data
