"""What instance commands share: the --instance option, and acting as the instance's owner.

Whoever can read the instance's folder and keys is its owner; commands act as the instance.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

instance_option: Callable[..., Any] = click.option(
    "--instance",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="The instance's folder (else VEDETTE_INSTANCE, else the current folder).",
)


def boot(folder: Path | None, *, handlers: bool = False) -> Path:
    """Set the instance up for this command; with `handlers` also for what messages bring about."""
    import importlib

    found = importlib.import_module("vedette.site.boot").boot(folder)
    assert isinstance(found, Path)
    if handlers:
        importlib.import_module("vedette.services.catalogue")
    return found
