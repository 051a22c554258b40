"""The core installed alone: small, without numpy, Django or Inspect, and its commands work.

Needs the package index that pip is configured for; without one the tests are skipped.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LIMIT = 150_000_000
UNREACHABLE = ("No matching distribution", "connection", "Connection", "timed out", "ProxyError")
EXTRAS_PACKAGES = ("numpy", "scipy", "django", "ninja", "inspect_ai", "httpx", "pydantic")
ROOMS = (
    "bench",
    "clearinghouse",
    "cli",
    "engagement",
    "exchange",
    "formats",
    "kernel",
    "ledger",
    "matching",
    "readiness",
)

Run = Callable[..., subprocess.CompletedProcess[str]]

# one entry and its checkpoint, written by the installed package itself
WRITE_LEDGER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from vedette.kernel.events import Event
from vedette.kernel.keys import PrivateKeys
from vedette.ledger.checkpoint import make_checkpoint
from vedette.ledger.entry import GENESIS, Entry, leaf
from vedette.ledger.export import write_export
from vedette.ledger.merkle import Frontier

now, keys, tree = datetime(2026, 12, 1, tzinfo=UTC), PrivateKeys.generate(), Frontier()
entry = Entry(1, GENESIS, Event.BENCH_RUN_STARTED, now, True, "org-1", "admin", "run-1",
              "TLP:RED", None, GENESIS, GENESIS)
tree.append(leaf(entry.hash))
point = make_checkpoint("office", 1, tree.root(), now, keys)
write_export(Path(sys.argv[1]), [(entry, entry.hash)], [point], [keys.public])
"""


def pip(*arguments: str | Path) -> None:
    """Run this environment's pip quietly; skip the test where the index can't be reached."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments, "-qq"],
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        if any(sign in done.stderr for sign in UNREACHABLE):
            pytest.skip(f"no package index within reach: {done.stderr.strip()[-200:]}")
        pytest.fail(done.stderr[-2000:])


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment that holds the built wheel and the core's lock, no more."""
    folder = tmp_path_factory.mktemp("core")
    pip(
        *("wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", folder, ROOT),
    )
    (wheel,) = folder.glob("vedette-*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "env"], check=True)
    python = folder / "env" / "bin" / "python"
    lock = ROOT / "requirements" / "core.txt"
    pip(
        *(
            "--python",
            python,
            "install",
            "--no-deps",
            "--require-hashes",
            "--only-binary",
            ":all:",
            "-r",
            lock,
        ),
    )
    pip("--python", python, "install", "--no-deps", "--no-index", wheel)
    return python.parent


@pytest.fixture
def vedette(core: Path, tmp_path: Path) -> Run:
    """Run the installed command in an empty folder."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("VEDETTE_", "DJANGO_", "PYTHON"))
    }

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [core / "vedette", *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )

    return run


def installed(core: Path) -> Path:
    (site_packages,) = (core.parent / "lib").glob("python3*/site-packages")
    return site_packages


def test_core_is_small(core: Path) -> None:
    own = ("pip", "setuptools", "_distutils_hack", "pkg_resources", "distutils-precedence")
    size = sum(
        path.stat().st_size
        for top in installed(core).iterdir()
        if not top.name.startswith(own)
        for path in ([top] if top.is_file() else top.rglob("*"))
        if path.is_file() and path.suffix != ".pyc"
    )
    assert 10_000_000 < size < LIMIT


@pytest.mark.parametrize("package", EXTRAS_PACKAGES)
def test_core_brings_no_extra(core: Path, package: str) -> None:
    assert not (installed(core) / package).exists()


def modules() -> Iterator[str]:
    """Each room of the core, and each module of the command line."""
    yield from (f"vedette.{room}" for room in ROOMS)
    for path in sorted((ROOT / "src" / "vedette" / "cli").glob("[a-z]*.py")):
        yield f"vedette.cli.{path.stem}"


def test_rooms_and_commands_import_without_extras(core: Path) -> None:
    code = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]"
    done = subprocess.run(
        [core / "python", "-I", "-c", code, *modules()], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_help(vedette: Run) -> None:
    shown = vedette("--help")
    assert shown.returncode == 0
    assert "priority" in shown.stdout


def test_plan(vedette: Run) -> None:
    shown = vedette(
        *("plan", "--partner-release", "2027-03-01", "--window-days", "10", "--json"),
    )
    assert shown.returncode == 0, shown.stderr
    plan = json.loads(shown.stdout)
    assert plan["window"] == {"opens": "2027-02-19T00:00:00Z", "closes": "2027-03-01T00:00:00Z"}


def test_priority(vedette: Run) -> None:
    shown = vedette(
        *("priority", "--kev", "y", "--exposed", "y", "--automatable", "n", "--impact", "total"),
        *("--from", "2026-12-01", "--json"),
    )
    assert shown.returncode == 0, shown.stderr
    answer = json.loads(shown.stdout)
    assert (answer["row"], answer["deadline"]) == ("y/y/n/total", "2026-12-04")
    assert answer["forensics"] is True


def test_match(vedette: Run, tmp_path: Path) -> None:
    write(tmp_path / "osv" / "one.json", advisory())
    write(tmp_path / "sbom.json", inventory("1.2.0"))
    shown = vedette("match", "--advisories", "osv", "--inventory", "sbom.json")
    assert shown.returncode == 0, shown.stderr
    (line,) = map(json.loads, shown.stdout.splitlines())
    assert (line["component"], line["advisory"], line["verdict"]) == (
        "lib-1",
        "PYSEC-2026-1",
        "affected",
    )

    write(tmp_path / "sbom.json", inventory("1.3.0"))
    assert vedette("match", "--advisories", "osv", "--inventory", "sbom.json").stdout == ""


def test_ledger_verify(vedette: Run, core: Path, tmp_path: Path) -> None:
    subprocess.run([core / "python", "-I", "-c", WRITE_LEDGER, tmp_path / "office"], check=True)
    shown = vedette("ledger", "verify", "office")
    assert shown.returncode == 0, shown.stdout + shown.stderr

    entries = tmp_path / "office" / "ledger.jsonl"
    entries.write_text(entries.read_text().replace("run-1", "run-2"))
    assert vedette("ledger", "verify", "office").returncode == 1


@pytest.mark.parametrize(
    ("command", "extra"),
    [
        (["init", "--profile", "lab", "here"], "server"),
        (["bench", "run", "daemons", "--subject", "openai/any", "--out", "out"], "bench"),
        (["findings", "dedupe", "findings.jsonl", "--out", "out.jsonl"], "stats"),
    ],
)
def test_missing_extra_is_named(
    vedette: Run, tmp_path: Path, command: list[str], extra: str
) -> None:
    one = {"id": "f1", "title": "Overflow in dumps", "description": "A stack buffer overflows."}
    (tmp_path / "findings.jsonl").write_text(json.dumps(one) + "\n")
    shown = vedette(*command)
    assert shown.returncode == 2, shown.stderr
    assert f"vedette[{extra}]" in shown.stderr
    assert shown.stderr.count("\n") == 1


def write(path: Path, value: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value))


def advisory() -> dict[str, Any]:
    affected = {
        "package": {"ecosystem": "PyPI", "name": "lib"},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.3.0"}]}],
    }
    return {
        "schema_version": "1.7.0",
        "id": "PYSEC-2026-1",
        "modified": "2026-12-01T00:00:00Z",
        "affected": [affected],
    }


def inventory(version: str) -> dict[str, Any]:
    part = {
        "type": "library",
        "bom-ref": "lib-1",
        "name": "lib",
        "version": version,
        "purl": f"pkg:pypi/lib@{version}",
    }
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": [part]}
