"""An item that an exposure decision discloses: what of it crosses, so that a crash is reproduced.

Rules:
- It holds what is built and executed: the sources of both builds, what they act on, the pins of two
  releases, and the functional tests, which a vendor's fix is held to.
- It holds nothing else: no words for a subject, no reference or hidden input, no canary, no other
  item. Where a source tells the suite's canary, nothing is made of it.
- The decision names its digest; what crosses afterwards is exactly that.
- Reading it is reading a suite's item: every name, file and bound is checked the same way.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vedette.bench.suites import BUDGET_FIELDS, Item, Suite, read_item
from vedette.bench.tables import is_identifier
from vedette.kernel.bounds import MIB, from_text, to_text
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.errors import BadInput, Refused
from vedette.kernel.markings import AMBER_STRICT

FORMAT = "vedette-disclosed-item/1"
MOST_BYTES = 4 * MIB
MOST_NAMED = 200
LEFT_OUT = "left out: it is not needed to reproduce a crash"
INPUT = "input"


def disclosed_item(suite: Suite, item: Item) -> dict[str, Any]:
    """What of an item crosses. Raises Refused where it is too large or tells the canary."""
    folder = suite.root / item.id
    named: dict[str, bytes] = {}

    def put(path: Path) -> str:
        name = path.relative_to(folder).as_posix()
        named[name] = path.read_bytes()
        return name

    told: dict[str, Any] = {
        "id": item.id,
        "crash_class": item.crash_class,
        "top_frame": item.top_frame,
        "cwe": item.cwe,
        "product": {
            "vendor": item.product.vendor,
            "name": item.product.name,
            "version": item.product.version,
            "fixed_version": item.product.fixed_version,
        },
        "vulnerable": [put(path) for path in item.vulnerable],
        "fixed": [put(path) for path in item.fixed],
        "functional": [
            {"input": put(test.input), "output": put(test.output)} for test in item.functional
        ],
    }
    if item.outside is not None:
        told["outside"] = put(item.outside)
    if item.plant is not None:
        told["plant"] = put(item.plant)
    if item.release is not None:
        told["release"] = dict(vars(item.release))
    if any(suite.canary.encode() in data for data in named.values()):
        raise Refused(
            f"item {item.id}: a source holds the suite's canary",
            kept="the item sealed, and no decision",
        )
    made = {
        "format": FORMAT,
        "item": told,
        "files": {name: to_text(data) for name, data in sorted(named.items())},
    }
    if (size := len(canonical(made))) > MOST_BYTES:
        raise Refused(f"item {item.id}: {size:,} bytes, at most {MOST_BYTES:,} cross")
    return made


def digest_of(document: dict[str, Any]) -> str:
    """The digest that a decision names."""
    return digest(canonical(document))


def open_disclosed(document: Any, folder: Path, suite: str) -> Suite:
    """Write a disclosed item's files into an empty folder; a suite of that name with it alone.

    It has an empty reference input: none crosses. Raises BadInput naming the field.
    """
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise BadInput(f"build: format: {FORMAT} expected")
    told, files = document.get("item"), document.get("files")
    if not isinstance(told, dict) or not isinstance(files, dict) or len(files) > MOST_NAMED:
        raise BadInput(f"build: item and at most {MOST_NAMED} files expected")
    name = told.get("id")
    if not isinstance(name, str) or not is_identifier(name) or INPUT in files:
        raise BadInput("build: item: id: a plain name expected")
    root = folder / name
    for path, text in {**files, INPUT: ""}.items():
        _write(root, path, text)
    rest = dict.fromkeys(("title", "summary", "prompt", "family"), LEFT_OUT)
    inputs = {"reference_input": INPUT, "sample_inputs": [INPUT]}
    weights = {"human_minutes": 0, "human_minutes_sd": 0, "budget": dict.fromkeys(BUDGET_FIELDS, 1)}
    item = read_item({**told, **rest, **inputs, **weights, "domain": "discovery"}, name, root)
    digest_ = digest_of(document)
    return Suite(suite, "0", LEFT_OUT, AMBER_STRICT, digest_, digest_, folder, (item,))


def _write(root: Path, name: str, text: Any) -> None:
    target = root.joinpath(name)
    if (
        "\0" in name
        or len(name) > MOST_NAMED
        or not target.resolve().is_relative_to(root.resolve())
    ):
        raise BadInput(f"build: files: {name[:80]!r} leaves its folder")
    if not isinstance(text, str):
        raise BadInput(f"build: files: {name[:80]!r} must be text")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(from_text(text, field=f"build: files: {name[:80]}"))
    except OSError as error:
        raise BadInput(f"build: files: {name[:80]!r}: {error.strerror}") from None
