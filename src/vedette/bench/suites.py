"""Benchmark suites: what a suite folder holds, read within bounds.

A suite is a folder with `suite.toml` and one folder per item, each with an `item.toml`, sources of
a vulnerable and a fixed build, a reference input, harmless samples and functional tests. Sources
are in C; or one service in Python each, with `outside`, what it acts on, which watches a rule; or
the hops of a plant in Python (see `plants`), on which an input is a session; or a driver in Python
that hands an input to a package, of which two source releases are named.

Rules:
- Every path named in a manifest is relative to its item's folder, stays inside it, and is a
  regular file reached through no symbolic link.
- A suite's digest covers every file in its folder by name and content, so it names what was run.
- Sources, inputs and the whole suite are bounded in size and count.
- Every field is there and of its type; the first that is not is named.

This module reads files of the suite and nothing else, and runs nothing.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vedette.bench.plants import read_plant
from vedette.bench.tables import Table, is_identifier, read_toml
from vedette.kernel.canonical import canonical
from vedette.kernel.canonical import digest as digest_of
from vedette.kernel.errors import BadInput, NotFound
from vedette.kernel.markings import Marking

SHIPPED = Path(__file__).parent / "data"
MOST_ITEMS = 1000
MOST_FILES = 20_000
MOST_BYTES = 256 * 1024 * 1024
MOST_FILE_BYTES = 8 * 1024 * 1024
REPAIR = "repair"
BUDGET_FIELDS = ("tool_calls", "executions", "tokens", "seconds")


@dataclass(frozen=True)
class Product:
    """The product that an item's program stands for; fictitious in shipped suites."""

    vendor: str
    name: str
    version: str
    fixed_version: str


@dataclass(frozen=True)
class FunctionalTest:
    """A harmless input and what a working build prints on it."""

    input: Path
    output: Path


@dataclass(frozen=True)
class Release:
    """Two source releases of a package, pinned: one with the flaw, one without."""

    name: str
    version: str
    sha256: str
    fixed_version: str
    fixed_sha256: str


@dataclass(frozen=True)
class Defence:
    """A plant to defend: what is told of an attack, and a policy that contains it (hidden)."""

    policy: Path
    incident: Path


@dataclass(frozen=True)
class Item:
    """One program with one planted flaw. Paths are absolute; `human_minutes` is what a skilled
    person needs, with its standard deviation; `budget` maps BUDGET_FIELDS to integers; `hidden`
    inputs are kept from subjects; a line that begins with `refusal` says that an input is not
    taken, in words that are free. `outside` is what a service in Python acts on, `plant` the
    hidden part of a plant, `defence` how it is defended, `release` what a driver drives.
    `published` says since when the item is public, "" if it is not."""

    id: str
    title: str
    family: str
    domain: str
    summary: str
    prompt: str
    vulnerable: tuple[Path, ...]
    fixed: tuple[Path, ...]
    reference_input: Path
    sample_inputs: tuple[Path, ...]
    crash_class: str
    top_frame: str
    cwe: str
    human_minutes: float
    human_minutes_sd: float
    budget: Mapping[str, int]
    product: Product
    functional: tuple[FunctionalTest, ...]
    hidden: tuple[Path, ...] = ()
    refusal: str = ""
    outside: Path | None = None
    plant: Path | None = None
    defence: Defence | None = None
    release: Release | None = None
    published: str = ""

    @property
    def repair(self) -> bool:
        """Whether a mended source is asked for, not an input that crashes the program."""
        return self.domain == REPAIR

    @property
    def python(self) -> bool:
        """Whether it is written in Python, not in C."""
        return self.outside is not None or not self.alone

    @property
    def alone(self) -> bool:
        """Whether its build is one program, which a subject's own sandbox can run."""
        return self.plant is None and self.release is None


@dataclass(frozen=True)
class Label:
    """What of an item tells nothing of how it is solved, and is needed where it is sealed."""

    id: str
    family: str
    domain: str
    human_minutes: float
    published: str

    @classmethod
    def of(cls, item: Item) -> Label:
        return cls(item.id, item.family, item.domain, item.human_minutes, item.published)


@dataclass(frozen=True)
class Suite:
    """A suite as read; `digest` is over all files. Of a part, `part` holds the items' numbers in
    the manifest, from 1 on, and `digest` is the whole suite's."""

    name: str
    version: str
    title: str
    marking: Marking
    canary: str
    digest: str
    root: Path
    items: tuple[Item, ...]
    declassify: str = ""
    part: tuple[int, ...] = ()

    def item(self, item_id: str) -> Item:
        """Return the item of that id. Raises NotFound."""
        for item in self.items:
            if item.id == item_id:
                return item
        known = ", ".join(item.id for item in self.items)
        raise NotFound(f"suite {self.name} has no item {item_id[:60]!r}", next_step=f"try {known}")


def shipped_suites() -> tuple[str, ...]:
    """Names of the suites that come with the package."""
    return tuple(sorted(path.parent.name for path in SHIPPED.glob("*/suite.toml")))


def find_suite(name_or_path: str | Path) -> Suite:
    """Load a shipped suite by name, or the suite in a folder. Raises NotFound or BadInput."""
    if str(name_or_path) in shipped_suites():
        return load_suite(SHIPPED / str(name_or_path))
    path = Path(name_or_path)
    if not (path / "suite.toml").is_file():
        raise NotFound(
            f"no suite {str(name_or_path)[:200]!r}",
            next_step=f"name a folder with suite.toml, or one of: {', '.join(shipped_suites())}",
        )
    return load_suite(path)


def load_suite(path: Path, *, part: Sequence[int] = (), digest: str = "") -> Suite:
    """Read the suite in folder `path`. Raises BadInput naming the file and field.

    With `part`, only the items of these numbers are there and read, of the suite of `digest`.
    """
    root = path.resolve()
    if not (root / "suite.toml").is_file():
        raise BadInput(f"{root}: no suite.toml in this folder")
    found = digest_of_folder(root, "suite")
    manifest = Table(read_toml(root / "suite.toml"), "suite.toml")
    names = manifest.texts("items", most=MOST_ITEMS)
    if len(set(names)) != len(names):
        raise BadInput("suite.toml: items names one item twice")
    if part and not 1 <= min(part) <= max(part) <= len(names):
        raise BadInput(f"suite.toml: items: has {len(names)}, not those of the part")
    names = tuple(names[number - 1] for number in part) or names
    return Suite(
        name=manifest.identifier("name"),
        version=manifest.text("version"),
        title=manifest.text("title"),
        marking=Marking.parse(manifest.text("marking")),
        canary=manifest.text("canary"),
        digest=digest if part else found,
        root=root,
        items=tuple(_load_item(root, name) for name in names),
        declassify=manifest.text("declassify") if manifest.has("declassify") else "",
        part=tuple(part),
    )


def _load_item(root: Path, name: str) -> Item:
    if not is_identifier(name):
        raise BadInput(f"suite.toml: items: {name[:60]!r} is no plain folder name")
    return read_item(read_toml(root / name / "item.toml"), name, root / name)


def read_item(values: Mapping[str, Any], name: str, folder: Path) -> Item:
    """An item of what its manifest says and the files in its folder. Raises BadInput."""
    item = Table(values, f"{name}/item.toml")
    if item.identifier("id") != name:
        raise BadInput(f"{name}/item.toml: id is not the name of its folder")
    product = item.table("product")
    for what, one in (
        ("repair item", item.text("domain") == REPAIR),
        ("service", item.has("outside")),
    ):
        if one and any(len(item.texts(build)) != 1 for build in ("vulnerable", "fixed")):
            raise BadInput(f"{name}/item.toml: vulnerable, fixed: a {what} has one source each")
    budget = item.table("budget")
    return Item(
        id=name,
        title=item.text("title"),
        family=item.text("family"),
        domain=item.text("domain"),
        summary=item.text("summary"),
        prompt=item.text("prompt").strip(),
        vulnerable=item.files("vulnerable", folder),
        fixed=item.files("fixed", folder),
        reference_input=item.file("reference_input", folder),
        sample_inputs=item.files("sample_inputs", folder),
        crash_class=item.text("crash_class"),
        top_frame=item.text("top_frame"),
        cwe=item.text("cwe"),
        human_minutes=item.number("human_minutes"),
        human_minutes_sd=item.number("human_minutes_sd"),
        budget={field: budget.integer(field) for field in BUDGET_FIELDS},
        product=Product(
            *(product.text(field) for field in ("vendor", "name", "version", "fixed_version"))
        ),
        functional=tuple(
            FunctionalTest(test.file("input", folder), test.file("output", folder))
            for test in item.tables("functional")
        ),
        hidden=item.files("hidden", folder) if item.has("hidden") else (),
        refusal=item.text("refusal") if item.has("refusal") else "",
        outside=item.file("outside", folder) if item.has("outside") else None,
        plant=_plant(item, folder) if item.has("plant") else None,
        defence=_defence(item, folder) if item.has("defence") else None,
        release=_release(item.table("release")) if item.has("release") else None,
        published=item.text("published") if item.has("published") else "",
    )


def _defence(item: Table, folder: Path) -> Defence:
    table = item.table("defence")
    if not item.has("plant"):
        raise BadInput(f"{folder.name}/item.toml: defence: only a plant is defended")
    return Defence(table.file("policy", folder), table.file("incident", folder))


def _release(table: Table) -> Release:
    fields = ("name", "version", "sha256", "fixed_version", "fixed_sha256")
    return Release(*(table.text(field) for field in fields))


def _plant(item: Table, folder: Path) -> Path:
    path = item.file("plant", folder)
    hops = list(read_plant(path).hops)
    for build in ("vulnerable", "fixed"):
        if [source.stem for source in item.files(build, folder)] != hops:
            raise BadInput(f"{folder.name}/item.toml: {build}: not {', '.join(hops)} in this order")
    return path


def digest_of_folder(root: Path, what: str) -> str:
    """Digest over every file's name and content. Raises BadInput on links and on too much."""
    entries: dict[str, str] = {}
    total = 0
    for count, path in enumerate(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        info = path.lstat()
        if count >= MOST_FILES:
            raise BadInput(f"{what} {root.name}: more than {MOST_FILES:,} files")
        if stat.S_ISDIR(info.st_mode):
            continue
        if not stat.S_ISREG(info.st_mode):
            raise BadInput(f"{what} {root.name}: {name[:80]!r} is no regular file")
        total += info.st_size
        if info.st_size > MOST_FILE_BYTES or total > MOST_BYTES:
            raise BadInput(f"{what} {root.name}: {name[:80]!r} makes it too large")
        entries[name] = digest_of(path.read_bytes())
    return digest_of(canonical(entries))
