"""Builds programs under AddressSanitizer, each inside the sandbox, kept by digest of what went in.

A build's key covers its sources, its flags and the compiler's version; the kept file is checked
against its own digest before it is used again.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from vedette.bench.plants import read_plant
from vedette.bench.suites import Item, Release
from vedette.kernel.bounds import MIB, read_json
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.errors import BadInput, MissingPart
from vedette.runner.leavings import read_out
from vedette.runner.plant import HOP, run_session
from vedette.runner.private import scratch_beside
from vedette.runner.pythons import own_python, system_python
from vedette.runner.sandbox import WORK, Limits, Outcome, Sandbox
from vedette.runner.sdist import fetch_sdist

Kind = Literal["vulnerable", "fixed", "fuzzer"]

BASIC = ("-O1", "-g", "-fno-omit-frame-pointer")
ADDRESS = ("gcc", *BASIC, "-fsanitize=address")
FUZZER = ("clang", *BASIC, "-fsanitize=fuzzer,address", "-DVEDETTE_FUZZER")
BUILD_LIMITS = Limits(
    cpu_seconds=120, memory_bytes=2048 * MIB, processes=128, scratch_bytes=512 * MIB
)
BUILD_SECONDS = 120.0
MOST_SOURCE_BYTES = MIB
BUILD_EXTENSION = Path(__file__).parent / "inside" / "build_extension.py"
WATCHED = Path(__file__).parent / "inside" / "watched.py"
# As text, so that no comment in a source can choose another encoding.
COMPILES = "import sys; compile(sys.stdin.buffer.read().decode(), 'service.py', 'exec')"
# Where sources lie in debug information: frames there are the release's own.
RELEASE_SOURCES = f"{WORK}/source"
# Names the encoding, so that no comment in a script can choose another.
SCRIPT_HEAD = "# coding: utf-8\nimport sys; sys.path[:0] = ['/site', '/site/pure.zip']\n"
DRIVER = "/driver.py"
_FROM_FILE = ("-c", f"{SCRIPT_HEAD}import runpy; runpy.run_path('{DRIVER}', run_name='__main__')")
ASAN_OPTIONS = "detect_leaks=0:allocator_may_return_null=1:handle_abort=1"
# The sanitizer writes its report to a file, which alone becomes standard error: what a program
# prints can't pass for a report, nor an exit status for a signal.
REPORTED = f"{ASAN_OPTIONS}:log_path={WORK}/report:exitcode=86"
SANITIZER_EXIT = 86
WATCH = f"""
exec 3>&2
"$0" "$@" 2>/dev/null 3>&-
code=$?
cat {WORK}/report.* >&3 2>/dev/null
exit "$code"
"""


@dataclass(frozen=True)
class Binary:
    """A program built under AddressSanitizer, or a service in Python with what watches it.

    `compiler` is the compiler's or the interpreter's name and version. Of a plant, `path` is its
    hidden part and `hops` are the sources of its hops; of a release, `path` is its driver and
    `site` the folder of its modules.
    """

    path: Path
    digest: str
    compiler: str
    hops: tuple[Path, ...] = ()
    site: Path | None = None


@dataclass(frozen=True)
class PyBuild:
    """A package's extension modules built under AddressSanitizer, lying in `site_dir`."""

    name: str
    version: str
    site_dir: Path
    modules: tuple[str, ...]
    digest: str
    compiler: str


def have_clang() -> bool:
    """Whether libFuzzer builds are possible here."""
    return Path("/usr/bin/clang").exists()


def build_item(item: Item, which: Kind, cache_dir: Path) -> Binary:
    """Build an item's vulnerable or fixed sources, or its vulnerable ones for libFuzzer."""
    paths = item.fixed if which == "fixed" else item.vulnerable
    if item.python and which == "fuzzer":
        raise BadInput(f"{item.id}: what is written in Python has no build for libFuzzer")
    if item.release is not None:
        return _driven(item.release, which, paths[0], cache_dir)
    if item.plant is not None:
        parts = [digest(path.read_bytes()) for path in (item.plant, *paths, HOP)]
        return Binary(item.plant, digest(canonical(parts)), _system_python()[1], paths)
    if item.outside is not None:
        return build_source(paths[0].read_bytes(), cache_dir, item.outside)
    sources = {path.name: path.read_bytes() for path in paths}
    return _build(sources, FUZZER if which == "fuzzer" else ADDRESS, cache_dir)


def build_source(source: bytes, cache_dir: Path, outside: Path | None = None) -> Binary:
    """Build one source delivered by a vendor or a subject: in C, or in Python under `outside`.

    Raises BadInput when it does not compile.
    """
    if len(source) > MOST_SOURCE_BYTES:
        raise BadInput(f"delivered source: more than {MOST_SOURCE_BYTES:,} bytes")
    if outside is not None:
        return _watched(source, outside.read_bytes(), cache_dir)
    return _build({"delivered.c": source}, ADDRESS, cache_dir)


def run_binary(binary: Binary, data: bytes, *, timeout: float = 10.0) -> Outcome:
    """Run a build on `data` in a fresh sandbox; standard error holds the sanitizer's report.

    Of a plant, `data` is a session, and each hop has a sandbox of its own.
    """
    if binary.hops:
        return run_session(read_plant(binary.path), binary.hops, data).outcome
    if binary.site is not None:
        return _run_release(list(_FROM_FILE), data, binary.site, timeout, {DRIVER: binary.path})
    return Sandbox().run(
        ["/bin/sh", "-c", WATCH, "/program"],
        stdin=data,
        timeout=timeout,
        readonly={"/program": binary.path},
        env={"ASAN_OPTIONS": REPORTED},
    )


def build_pypi(name: str, version: str, sha256: str, cache_dir: Path) -> PyBuild:
    """Build the extension modules of a hash-pinned source release, without network.

    Raises MissingPart when the release, a compiler or Python's headers are missing, BadInput when
    the release can't be built.
    """
    compiler = _compiler("g++")
    _, mounts = own_python()
    if not (Path(sysconfig.get_paths()["include"]) / "Python.h").exists():
        raise MissingPart("Python's C headers are missing", next_step="apt-get install python3-dev")
    script = BUILD_EXTENSION.read_bytes()
    key = _key(["pypi", name, version, sha256, compiler, sys.version, digest(script)])
    kept = cache_dir / f"pypi-{key}"
    found = _kept(kept)
    if found is None:
        sdist = fetch_sdist(name, version, sha256, cache_dir)
        files = _build_extensions(f"{name} {version}", sdist, mounts)
        found = _keep(kept, files, compiler)
    modules = tuple(sorted(file.split(".", 1)[0] for file in found if file.endswith(".so")))
    return PyBuild(name, version, kept, modules, digest(canonical(dict(found))), compiler)


def run_script(build: PyBuild, script: str, *, timeout: float = 30.0) -> Outcome:
    """Run Python source that imports the build's modules, in a fresh sandbox; as `run_binary`."""
    source = f"{SCRIPT_HEAD}{script}\n".encode()
    return _run_release(["-"], source, build.site_dir, timeout, {})


def _run_release(
    arguments: list[str], stdin: bytes, site: Path, timeout: float, given: Mapping[str, Path]
) -> Outcome:
    python, mounts = own_python()
    preloaded = ["/usr/bin/env", f"LD_PRELOAD={_asan_library()}", python, "-I", "-B"]
    return Sandbox().run(
        ["/bin/sh", "-c", WATCH, *preloaded, *arguments],
        stdin=stdin,
        timeout=timeout,
        readonly={**mounts, "/site": site, **given},
        env={"ASAN_OPTIONS": REPORTED},
    )


def _driven(release: Release, which: Kind, driver: Path, cache_dir: Path) -> Binary:
    fixed = which == "fixed"
    version = release.fixed_version if fixed else release.version
    sha256 = release.fixed_sha256 if fixed else release.sha256
    built = build_pypi(release.name, version, sha256, cache_dir)
    whole = digest(canonical([built.digest, digest(driver.read_bytes())]))
    return Binary(driver, whole, built.compiler, site=built.site_dir)


def _build(sources: Mapping[str, bytes], command: tuple[str, ...], cache_dir: Path) -> Binary:
    compiler = _compiler(command[0])
    digests = {name: digest(data) for name, data in sources.items()}
    kept = cache_dir / f"program-{_key(['program', digests, list(command), compiler])}"
    found = _kept(kept)
    if found is None:
        found = _keep(kept, {"program": _compile(sources, command, cache_dir)}, compiler)
    return Binary(kept / "program", found["program"], compiler)


def _watched(service: bytes, outside: bytes, cache_dir: Path) -> Binary:
    """One program of the system's Python: a service, what it acts on, and what runs the two."""
    python, version = _system_python()
    texts = [service, outside, WATCHED.read_bytes()]
    kept = cache_dir / f"service-{_key(['service', *map(digest, texts), python, version])}"
    found = _kept(kept)
    if found is None:
        outcome = Sandbox(BUILD_LIMITS).run([python, "-ISBc", COMPILES], stdin=service)
        if outcome.exit_code != 0:
            raise BadInput(f"delivered source: does not compile ({_said(outcome)})")
        head = f"#!{python} -ISB\nSERVICE = {service!r}\nOUTSIDE = {outside!r}\n".encode()
        found = _keep(kept, {"program": head + texts[2]}, version)
    return Binary(kept / "program", found["program"], version)


@cache
def _system_python() -> tuple[str, str]:
    """The system's Python as a sandbox shows it, and its version. Raises MissingPart."""
    path = system_python()
    done = subprocess.run([path, "-V"], capture_output=True, check=True)
    return path, done.stdout.decode().strip()


def _compile(sources: Mapping[str, bytes], command: tuple[str, ...], cache_dir: Path) -> bytes:
    beside = scratch_beside(cache_dir)
    with tempfile.TemporaryDirectory(prefix="vedette-", dir=beside) as folder:
        work, given = Path(folder) / "work", Path(folder) / "src"
        work.mkdir()
        given.mkdir()
        for name, data in sources.items():
            (given / name).write_bytes(data)
        outcome = Sandbox(BUILD_LIMITS).run(
            [*command, "-o", "program", *(f"/src/{name}" for name in sources)],
            workdir=work,
            timeout=BUILD_SECONDS,
            readonly={"/src": given},
        )
        if outcome.exit_code != 0:
            raise BadInput(f"{', '.join(sources)}: does not compile ({_said(outcome)})")
        return read_out(work, "program", 64 * MIB)


def _build_extensions(said: str, sdist: Path, mounts: Mapping[str, Path]) -> dict[str, bytes]:
    """Return file name -> content of the extension modules that the release builds."""
    python, _ = own_python()
    with tempfile.TemporaryDirectory(prefix="vedette-") as folder:
        work = Path(folder)
        outcome = Sandbox(BUILD_LIMITS).run(
            [python, "-I", "-B", "/build.py", "/sdist.tar.gz"],
            workdir=work,
            timeout=BUILD_SECONDS,
            readonly={**mounts, "/build.py": BUILD_EXTENSION, "/sdist.tar.gz": sdist},
        )
        if outcome.exit_code != 0:
            raise BadInput(f"{said}: its extensions do not build ({_said(outcome)})")
        last = outcome.stdout.strip().splitlines()[-1:] or [b""]
        names = read_json(last[0], source=f"{said}: list of modules")
        if not isinstance(names, list) or not 1 < len(names) <= 100:
            raise BadInput(f"{said}: builds no extension module")
        return {str(name): read_out(work, str(name), 64 * MIB) for name in names}


def _said(outcome: Outcome) -> str:
    if outcome.timed_out:
        return f"not done after {BUILD_SECONDS:.0f} s"
    lines = outcome.stderr.decode("utf-8", "replace").strip().splitlines()
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines[-1:] or [f"exit {outcome.exit_code}"])[0][:200]


def _kept(folder: Path) -> dict[str, str] | None:
    """File name -> digest of a kept build, None when absent or no longer what was built."""
    try:
        found: dict[str, str] = json.loads((folder / "build.json").read_text("utf-8"))["files"]
        whole = all(digest((folder / name).read_bytes()) == said for name, said in found.items())
    except (OSError, ValueError, KeyError):
        return None
    return found if whole else None


def _keep(folder: Path, files: Mapping[str, bytes], compiler: str) -> dict[str, str]:
    """Keep a build under its key; of two builders at once, either's result stands."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
    for name, data in files.items():
        (part / name).write_bytes(data)
        (part / name).chmod(0o755)
    found = {name: digest(data) for name, data in files.items()}
    record = {"compiler": compiler, "files": found}
    (part / "build.json").write_text(json.dumps(record, indent=1, sort_keys=True), "utf-8")
    part.chmod(0o755)
    try:
        part.rename(folder)
    except OSError:
        if _kept(folder) == found:
            shutil.rmtree(part)
        else:
            shutil.rmtree(folder, ignore_errors=True)
            part.rename(folder)
    return found


def _key(parts: list[object]) -> str:
    return digest(canonical(parts)).removeprefix("sha256:")[:32]


@cache
def _compiler(name: str) -> str:
    """Name and version of a compiler that the sandbox has. Raises MissingPart."""
    path = Path("/usr/bin") / name
    if not path.exists():
        raise MissingPart(
            f"building needs {name}, which is not installed", next_step=f"apt-get install {name}"
        )
    done = subprocess.run([str(path), "--version"], capture_output=True, check=True)
    return done.stdout.decode().splitlines()[0]


@cache
def _asan_library() -> str:
    _compiler("gcc")
    done = subprocess.run(
        ["/usr/bin/gcc", "-print-file-name=libasan.so"], capture_output=True, check=True
    )
    path = done.stdout.decode().strip()
    if not os.path.isabs(path):
        raise MissingPart(
            "gcc's AddressSanitizer library is missing", next_step="apt-get install gcc"
        )
    return path
