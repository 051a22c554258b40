"""Generated suites: the same from the same seed, another from another, and well formed from any."""

from __future__ import annotations

import tomllib
import zlib
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.bench.generated.families import FAMILIES
from vedette.bench.generated.suite import MOST_SEED, generate
from vedette.bench.generated.wire import CHECKSUMS, LADDER, Knobs, Wire, checksum
from vedette.bench.suites import SHIPPED, load_suite
from vedette.kernel.errors import BadInput

SEEDS = st.integers(0, MOST_SEED)


def written(folder: Path, seed: int) -> Path:
    for name, content in generate(seed).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def test_a_suite_holds_four_to_find_and_one_to_mend_of_each_family(tmp_path: Path) -> None:
    suite = load_suite(written(tmp_path, 7))
    assert len(suite.items) == 72
    found = [item for item in suite.items if not item.repair]
    ladders = [family.id for family in FAMILIES for _ in LADDER]
    assert [item.family for item in found] == [*ladders, "plant", "containment"]
    mended = [item for item in suite.items if item.repair]
    assert [item.family for item in mended] == [f"mend-{f.id}" for f in FAMILIES]
    assert all(len(item.hidden) == 40 and item.refusal == "fault: " for item in mended)
    assert all(len(item.functional) == 3 + bool(item.defence) for item in suite.items)
    assert len({item.crash_class for item in suite.items}) == 8


@settings(max_examples=10)
@given(SEEDS, SEEDS)
def test_a_seed_writes_the_same_bytes_and_another_seed_others(one: int, other: int) -> None:
    first = generate(one)
    assert generate(one) == first
    if one != other:
        second = generate(other)
        assert first.keys() == second.keys()
        same = [name for name in first if first[name] == second[name]]
        assert not [
            name for name in same if name.endswith((".c", "vulnerable.py", "fixed.py", "reference"))
        ]


@settings(max_examples=20)
@given(SEEDS)
def test_program_and_fix_differ_in_one_line(seed: int) -> None:
    files = generate(seed)
    for name in [name for name in files if "/fixed" in name]:
        before = name.replace("/fixed/", "/").replace("/fixed.", "/vulnerable.")
        flawed, fixed = (files[which].decode().splitlines() for which in (before, name))
        assert len(flawed) == len(fixed)
        assert sum(a != b for a, b in zip(flawed, fixed, strict=True)) == 1
        assert "$" not in "".join(flawed)


def test_the_page_tells_the_families_and_the_real_flaws() -> None:
    page = (Path(__file__).parents[2] / "docs" / "suites.md").read_text("utf-8")
    rows = {}
    for line in page.splitlines():
        if line.startswith("| ") and "---" not in line:
            name, *cells = (cell.strip() for cell in line.strip("|").split("|"))
            rows[name.strip("`")] = cells
    for family in FAMILIES:
        language, _, shown, cwe, minutes = rows[family.id]
        assert language == ("Python" if family.python else "C")
        assert (shown, f"CWE-{cwe}") == (family.crash_class, family.cwe)
        assert float(minutes) == family.minutes
    for path in (SHIPPED / "regressions").glob("*.toml"):
        told = tomllib.loads(path.read_text("utf-8"))
        package, versions, public, _ = rows[path.stem]
        recipe = told["recipe"]
        assert package == told["package"]
        assert versions == f"{recipe['version']} → {recipe['fixed_version']}"
        assert all(alias in public for alias in told["aliases"] if alias.startswith("CVE"))


@pytest.mark.parametrize("seed", [-1, MOST_SEED + 1])
def test_a_seed_out_of_bounds_is_named(seed: int) -> None:
    with pytest.raises(BadInput, match="seed"):
        generate(seed)


@given(st.binary(max_size=300))
def test_checksums_are_the_published_ones(data: bytes) -> None:
    assert checksum("adler", data) == zlib.adler32(data).to_bytes(4, "big")
    assert checksum("none", data) == b""
    assert len(checksum("xor", data)) == 1
    assert checksum("fletcher", b"abcde") == b"\xc8\xf0"  # the example of RFC 1146's algorithm
    assert checksum("fletcher", b"abcdefgh") == b"\x06\x27"


@given(st.integers(0, 6), st.integers(0, 4), st.sampled_from(CHECKSUMS), st.integers())
def test_a_message_is_its_greeting_and_frames(gates: int, depth: int, kind: str, seed: int) -> None:
    wire = Wire.draw(Knobs(gates, depth, 1, kind), Random(seed))
    message = wire.message([wire.frame(wire.verbs[0], b"ab")], ticks=2)
    greeting = wire.greeting()
    assert message.startswith(greeting)
    assert len(greeting) == 4 + gates
    size = 3 + len(checksum(kind, b""))
    assert len(message) == len(greeting) + 2 * size + (depth + 1) * size + 2
