"""Reproduces a finding from its recipe, and verifies a vendor's fix by the same means.

A recipe is plain JSON of one of three kinds; every field is bounded, and no other field may stand:
- `suite-item`: suite, item, input_b64 (at most 64 KiB decoded);
- `disclosed-item`: the same, and build, the digest of a sealed item's build that came with it;
- `pypi`: name, version, sha256, fixed_version, fixed_sha256 of two source releases, and script,
  Python that imports modules of the release and calls their functions with literal values, nothing
  else: it runs in the process whose report counts, so it must not be able to write one. Its crash
  counts only when a frame of the release's own sources is on the stack.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from vedette.bench.suites import SHIPPED, Item, Suite, find_suite, shipped_suites
from vedette.kernel.bounds import from_text
from vedette.kernel.canonical import digest
from vedette.kernel.errors import BadInput, NotFound
from vedette.runner.build import (
    RELEASE_SOURCES,
    Binary,
    build_pypi,
    build_source,
    run_binary,
    run_script,
)
from vedette.runner.isolation import isolation
from vedette.runner.sandbox import Outcome
from vedette.runner.sanitizer import Crash
from vedette.runner.verify import (
    MOST_INPUT_BYTES,
    REPEATS,
    Evidence,
    crash_of,
    judge,
    verify_input,
)

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?\Z")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+!_-]{0,63}\Z")
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_ITEM_FIELDS = {"kind", "suite", "item", "input_b64"}
_DISCLOSED_FIELDS = {*_ITEM_FIELDS, "build"}
ITEM_KINDS = ("suite-item", "disclosed-item")
_PYPI_FIELDS = {"kind", "name", "version", "sha256", "fixed_version", "fixed_sha256", "script"}
MOST_SCRIPT = 4000
_LITERALS = (ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.BinOp, ast.UnaryOp)
_OPERATORS = (ast.Mult, ast.Add, ast.USub, ast.UAdd, ast.Load)


@dataclass(frozen=True)
class FixEvidence:
    """What a delivered fix showed: no crash any more (`fixed`), still working (`functional`)."""

    fixed: bool
    functional: bool
    runs: int
    isolation: str
    build_digest: str
    reason: str

    @property
    def verified(self) -> bool:
        return self.fixed and self.functional

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def shipped_recipe(name: str) -> dict[str, str]:
    """Return the recipe of a real, public flaw that comes with the package, e.g. `ujson`."""
    table = regression(name)
    return {"kind": "pypi", **table["recipe"]}


def regression(name: str) -> dict[str, Any]:
    """Return all that is shipped about a real, public flaw. Raises NotFound."""
    known = {path.stem: path for path in (SHIPPED / "regressions").glob("*.toml")}
    if name not in known:
        raise NotFound(f"no shipped flaw {name[:60]!r}", next_step=f"try {', '.join(known)}")
    return tomllib.loads(known[name].read_text("utf-8"))


def reproduce(
    recipe: Mapping[str, Any],
    *,
    cache_dir: Path,
    suites: Iterable[Suite] = (),
    repeats: int = REPEATS,
) -> Evidence:
    """Execute a recipe on fresh builds in fresh sandboxes.

    `suites` are known besides the shipped ones. Raises BadInput on a recipe that can't be taken,
    MissingPart where a compiler, bubblewrap or a source release is missing.
    """
    kind = recipe.get("kind")
    if kind in ITEM_KINDS:
        item, data = _suite_item(recipe, suites)
        return verify_input(item, data, cache_dir=cache_dir, repeats=repeats)
    if kind == "pypi":
        return _reproduce_pypi(recipe, cache_dir, repeats)
    raise BadInput("recipe: kind must be suite-item, disclosed-item or pypi")


def verify_fix(
    recipe: Mapping[str, Any],
    fixed_source: bytes,
    *,
    cache_dir: Path,
    suites: Iterable[Suite] = (),
    repeats: int = REPEATS,
) -> FixEvidence:
    """Build a vendor's delivered source and run the crash inputs and the functional tests on it.

    Only for recipes of items: a package's fix is a release, which `reproduce` takes as the
    fixed one. Raises BadInput when the recipe can't be taken or the source does not compile.
    """
    item, data = _suite_item(recipe, suites)
    if not item.alone:
        raise BadInput(
            f"recipe: item {item.id} has no one source that a fix could stand in",
            next_step="reproduce the finding against the item's own fixed build",
        )
    delivered = build_source(fixed_source, cache_dir, item.outside)
    evidence = FixEvidence(False, False, 0, isolation(), delivered.digest, "")
    known = () if recipe["kind"] == "disclosed-item" else (item.reference_input.read_bytes(),)
    for given in (data, *known):
        for _ in range(repeats):
            outcome = run_binary(delivered, given)
            crash = crash_of(outcome)
            evidence = replace(evidence, runs=evidence.runs + 1)
            if crash is not None or outcome.timed_out:
                said = crash.summary if crash else "it did not end in time"
                return replace(evidence, reason=f"still not fixed: {said}")
    failed = failing_test(delivered, item)
    if failed:
        return replace(evidence, fixed=True, reason=f"fixed, but no longer works: {failed}")
    return replace(evidence, fixed=True, functional=True, reason="fixed, and working as before")


def failing_test(binary: Binary, item: Item) -> str:
    """Return which functional test fails on a build and how, "" when none does."""
    for test in item.functional:
        outcome = run_binary(binary, test.input.read_bytes())
        crash = crash_of(outcome)
        if crash is not None:
            return f"{test.input.name} crashes ({crash.summary})"
        if outcome.timed_out or outcome.stdout != test.output.read_bytes():
            return f"{test.input.name} does not print what it should"
    return ""


def _suite_item(recipe: Mapping[str, Any], suites: Iterable[Suite]) -> tuple[Item, bytes]:
    disclosed = recipe.get("kind") == "disclosed-item"
    _only(recipe, _DISCLOSED_FIELDS if disclosed else _ITEM_FIELDS)
    if recipe["kind"] not in ITEM_KINDS:
        raise BadInput(f"recipe: kind must be {' or '.join(ITEM_KINDS)} here")
    known = {suite.name: suite for suite in suites}
    name = _text(recipe, "suite", 64)
    if name not in known and name in shipped_suites() and not disclosed:
        known[name] = find_suite(name)
    if name not in known:
        raise BadInput(f"recipe: suite {name!r} is not known here")
    if disclosed and known[name].digest != recipe["build"]:
        raise BadInput("recipe: build: what came is not the build that it names")
    try:
        item = known[name].item(_text(recipe, "item", 64))
    except NotFound as error:
        raise BadInput(f"recipe: item: {error.what}") from None
    encoded = _text(recipe, "input_b64", MOST_INPUT_BYTES * 4 // 3 + 4, least=0)
    data = from_text(encoded, field="recipe: input_b64")
    if len(data) > MOST_INPUT_BYTES:
        raise BadInput(f"recipe: input_b64: more than {MOST_INPUT_BYTES:,} bytes")
    return item, data


def _reproduce_pypi(recipe: Mapping[str, Any], cache_dir: Path, repeats: int) -> Evidence:
    _only(recipe, _PYPI_FIELDS)
    name = _matching(recipe, "name", _NAME)
    version, sha256 = _matching(recipe, "version", _VERSION), _matching(recipe, "sha256", _SHA256)
    fixed_version = _matching(recipe, "fixed_version", _VERSION)
    fixed_sha256 = _matching(recipe, "fixed_sha256", _SHA256)
    script = _text(recipe, "script", MOST_SCRIPT)
    imported = check_script(script)
    vulnerable = build_pypi(name, version, sha256, cache_dir)
    fixed = build_pypi(name, fixed_version, fixed_sha256, cache_dir)
    foreign = imported - set(vulnerable.modules)
    if foreign:
        raise BadInput(f"recipe: script: {min(foreign)} is no module of {name} {version}")
    return judge(
        run_vulnerable=lambda: run_script(vulnerable, script),
        run_fixed=lambda: run_script(fixed, script),
        read=_crash_in_release,
        repeats=repeats,
        build_digests={"vulnerable": vulnerable.digest, "fixed": fixed.digest},
        input_digest=digest(script.encode("utf-8")),
    )


def _crash_in_release(outcome: Outcome) -> Crash | None:
    """Return a crash with only the release's own frames, None when it has none of them."""
    crash = crash_of(outcome)
    if crash is None:
        return None
    own = tuple(frame for frame in crash.frames if frame.file.startswith(RELEASE_SOURCES))
    if not own:
        return None
    top = own[0].name
    return Crash(crash.kind, crash.access, own, top, f"{crash.kind} in {top}, {crash.access}")


def check_script(script: str) -> set[str]:
    """Return the modules that a script imports. Raises BadInput unless it only imports modules by
    their plain name and calls them with literal values."""
    try:
        tree = ast.parse(script)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise BadInput("recipe: script is no Python") from None
    imported: set[str] = set()
    for statement in tree.body:
        if isinstance(statement, ast.Import):
            imported |= {alias.name for alias in statement.names}
            if any(alias.asname or "." in alias.name for alias in statement.names):
                raise BadInput("recipe: script: only plain imports, like `import NAME`")
        elif not (isinstance(statement, ast.Expr) and _is_plain_call(statement.value, imported)):
            raise BadInput(
                f"recipe: script, line {statement.lineno}: only imports, and calls of what they"
                " import with literal values"
            )
    return imported


def _is_plain_call(node: ast.expr, imported: set[str]) -> bool:
    if not isinstance(node, ast.Call):
        return False
    target = node.func
    if not isinstance(target, ast.Attribute) or not isinstance(target.value, ast.Name):
        return False
    if target.attr.startswith("_") or target.value.id not in imported:
        return False
    values = [*node.args, *(keyword.value for keyword in node.keywords)]
    return all(
        isinstance(part, (*_LITERALS, *_OPERATORS)) for value in values for part in ast.walk(value)
    )


def _only(recipe: Mapping[str, Any], fields: set[str]) -> None:
    missing, other = sorted(fields - set(recipe)), sorted(set(recipe) - fields)
    if missing:
        raise BadInput(f"recipe: {missing[0]} is missing")
    if other:
        raise BadInput(f"recipe: {str(other[0])[:60]} is no field of this kind")


def _text(recipe: Mapping[str, Any], field: str, most: int, *, least: int = 1) -> str:
    value = recipe[field]
    if not isinstance(value, str) or not least <= len(value) <= most:
        raise BadInput(f"recipe: {field} must be text of {least} to {most:,} characters")
    return value


def _matching(recipe: Mapping[str, Any], field: str, form: re.Pattern[str]) -> str:
    value = _text(recipe, field, 64)
    if not form.match(value):
        raise BadInput(f"recipe: {field} {value!r} is not of the right form")
    return value
