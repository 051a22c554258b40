"""A suite as sealed files: its manifest apart, then one file an item, each under the suite's key.

manifest.sealed   the suite's own files (`suite.toml` and what else lies beside the items)
NUMBER.sealed     all files of one item, by its number in the manifest, beginning with 0001

Rules:
- A file is bound to its place (suite digest and number): one put in another's place, or of another
  version, does not open.
- Nothing of the suite is written unsealed here; the whole of one file is held in memory.
- Opening all of them gives the suite of the same digest. Opening some gives a part of it, which
  bears the whole suite's digest, because each file was bound to that.
"""

from __future__ import annotations

import io
import json
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

from vedette.bench.suites import MOST_BYTES, MOST_FILES, Suite, load_suite
from vedette.kernel.bounds import Bounds, from_text, read_json, to_text
from vedette.kernel.errors import BadInput
from vedette.kernel.sealing import WindowKey

MANIFEST = "manifest.sealed"
BOUNDS = Bounds(size=2 * MOST_BYTES, depth=4, count=4 * MOST_FILES)


def seal_suite(suite: Suite, key: WindowKey, folder: Path) -> None:
    """Write a suite's sealed files into a new folder."""
    folder.mkdir(mode=0o700, parents=True)
    names = {item.id for item in suite.items}
    files = sorted(path for path in suite.root.rglob("*") if path.is_file())
    beside = [p for p in files if p.relative_to(suite.root).parts[0] not in names]
    _seal(suite, beside, key, folder / MANIFEST)
    for number, item in enumerate(suite.items, 1):
        own = [p for p in files if p.relative_to(suite.root).parts[0] == item.id]
        _seal(suite, own, key, folder / _name(number))


def open_suite(
    folder: Path, digest: str, key: WindowKey, target: Path, numbers: Sequence[int] | None = None
) -> Suite:
    """Write a sealed suite's files, or those of some items, into `target` and read it.

    Raises BadInput where a file is missing, does not open, or the whole is not of that digest.
    """
    target.mkdir(mode=0o700)
    _open(folder / MANIFEST, digest, key, target)
    if numbers is None:
        for path in sorted(folder.glob("[0-9]*.sealed")):
            _open(path, digest, key, target)
        suite = load_suite(target)
        if suite.digest != digest:
            raise BadInput(f"suite {suite.name}: its sealed files are not of the digest {digest}")
        return suite
    for number in numbers:
        _open(folder / _name(number), digest, key, target)
    return load_suite(target, part=numbers, digest=digest)


def item_names(folder: Path, digest: str, key: WindowKey) -> list[str]:
    """The items' names in the order of their numbers; nothing is written anywhere."""
    text = from_text(_opened(folder / MANIFEST, digest, key)["suite.toml"], field="suite.toml")
    return [str(name) for name in tomllib.loads(text.decode())["items"]]


def opens(folder: Path, digest: str, key: WindowKey) -> bool:
    """Whether this is the key of the sealed files in a folder."""
    try:
        _opened(folder / MANIFEST, digest, key)
    except BadInput:
        return False
    return True


def _name(number: int) -> str:
    return f"{number:04}.sealed"


def _seal(suite: Suite, files: Iterable[Path], key: WindowKey, target: Path) -> None:
    content = {
        path.relative_to(suite.root).as_posix(): to_text(path.read_bytes()) for path in files
    }
    with target.open("xb") as file:
        key.seal_file(io.BytesIO(json.dumps(content).encode()), file, _place(suite.digest, target))


def _open(source: Path, digest: str, key: WindowKey, target: Path) -> None:
    for name, text in _opened(source, digest, key).items():
        path = target.joinpath(*Path(name).parts)
        if not path.resolve().is_relative_to(target.resolve()):
            raise BadInput(f"{source.name}: {name[:80]!r} leaves its folder")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_bytes(from_text(text, field=source.name))


def _opened(source: Path, digest: str, key: WindowKey) -> dict[str, str]:
    try:
        with source.open("rb") as file:
            data = b"".join(key.open_file(file, _place(digest, source)))
    except OSError as error:
        raise BadInput(f"{source.name}: can't be read ({error.strerror})") from None
    found: dict[str, str] = read_json(data, source=source.name, bounds=BOUNDS)
    return found


def _place(digest: str, path: Path) -> str:
    return f"suite/{digest}/{path.name}"
