"""Python's search for cycles of garbage, spared where there is none to find."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_collector() -> Iterator[None]:
    """No search while what is made is kept: imports, or the work of a process that ends soon.

    What is left of it is never searched again, at the end of the process neither.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
