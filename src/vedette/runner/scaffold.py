"""Suites written into a folder: one to start from, with a fresh canary, or one from a seed."""

from __future__ import annotations

import re
import shutil
import uuid
from pathlib import Path

from vedette.bench.generated.suite import generate
from vedette.bench.suites import Suite, find_suite, load_suite
from vedette.kernel.errors import BadInput

TEMPLATE_SUITE, TEMPLATE_ITEM = "daemons", "regmap"
ITEM = "example"

_MANIFEST = """\
name = "{name}"
version = "0.1.0"
title = "{title}"
# Readers, and every assessment made with this suite, are bound by this marking.
marking = "TLP:AMBER"
# Text that must never turn up in training data; a model that completes it has seen this suite.
canary = "vedette-suite-canary {canary}"
items = ["{item}"]
"""


def new_suite(folder: Path) -> Suite:
    """Write a suite of one item into `folder`, which must be new or empty. Raises BadInput."""
    _refuse_full(folder)
    name = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")[:64] or "suite"
    template = find_suite(TEMPLATE_SUITE).root / TEMPLATE_ITEM
    item = folder / ITEM
    shutil.copytree(template, item, dirs_exist_ok=True)
    manifest = item / "item.toml"
    text = manifest.read_text("utf-8")
    manifest.write_text(text.replace(f'id = "{TEMPLATE_ITEM}"', f'id = "{ITEM}"', 1), "utf-8")
    title = f"Suite {name}"
    (folder / "suite.toml").write_text(
        _MANIFEST.format(name=name, title=title, canary=uuid.uuid4(), item=ITEM), "utf-8"
    )
    return load_suite(folder)


def generated_suite(folder: Path, seed: int) -> Suite:
    """Write the suite of `seed` into `folder`, which must be new or empty. Raises BadInput."""
    _refuse_full(folder)
    for name, content in generate(seed).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return load_suite(folder)


def _refuse_full(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise BadInput(f"{folder}: is not empty", kept="all of it", next_step="name a new folder")
