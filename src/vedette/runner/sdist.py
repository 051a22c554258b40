"""Fetches a hash-pinned source release with the user's own pip, running nothing of it.

pip prepares the metadata of what it downloads, and for a source release that means running the
release's build code. Here pip is given a stand-in for the interpreter it would start: the stand-in
answers from the release's PKG-INFO and refuses everything else, so that code of the release runs
in the sandbox only, or not at all. Index, proxy and certificates are those pip is configured with.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from itertools import islice
from pathlib import Path, PurePosixPath

from vedette.kernel.errors import BadInput, MissingPart

MOST_BYTES = 64 * 1024 * 1024
MOST_MEMBERS, MOST_SOURCE = 5000, 1024 * 1024
SOURCES = (".c", ".h", ".cc", ".cpp", ".hpp", ".py", ".pyx")
FETCH_SECONDS = 300
RUN_PIP = (
    "import runpy, sys; sys.executable = sys.argv.pop(1);"
    " runpy.run_module('pip', run_name='__main__', alter_sys=True)"
)
STAND_IN = """#!{python} -I
import email, json, os, sys
hook, folder = sys.argv[-2:]
with open(os.path.join(folder, "input.json"), encoding="utf-8") as file:
    given = json.load(file)["kwargs"]
if hook == "prepare_metadata_for_build_wheel":
    with open("PKG-INFO", encoding="utf-8") as file:
        text = file.read()
    fields = email.message_from_string(text)
    answer = "-".join([fields["Name"].replace("-", "_"), fields["Version"]]) + ".dist-info"
    os.mkdir(os.path.join(given["metadata_directory"], os.path.basename(answer)))
    target = os.path.join(given["metadata_directory"], os.path.basename(answer), "METADATA")
    with open(target, "w", encoding="utf-8") as file:
        file.write(text)
elif hook.startswith("get_requires_for_build") or hook == "_supported_features":
    answer = []
else:
    sys.exit("no code of a release runs here")
with open(os.path.join(folder, "output.json"), "w", encoding="utf-8") as file:
    json.dump({{"return_val": answer}}, file)
"""


def fetch_sdist(name: str, version: str, sha256: str, cache_dir: Path) -> Path:
    """Return the path of the source release with that digest, from the cache or through pip.

    Raises MissingPart when pip or the index can't be reached, BadInput when the index has no such
    release or its digest differs.
    """
    kept = cache_dir / "sdists" / f"{sha256}.tar.gz"
    if kept.is_file() and _sha256(kept) == sha256:
        return kept
    with tempfile.TemporaryDirectory(prefix="vedette-") as folder:
        fetched = _download(name, version, sha256, Path(folder))
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_name(f"{kept.name}.{os.getpid()}")
        shutil.copyfile(fetched, part)
        part.replace(kept)
    return kept


def unpack_sources(sdist: Path, folder: Path) -> None:
    """Write the C, C++ and Python sources of a release into a folder, within bounds."""
    with tarfile.open(sdist) as archive:
        for member in islice(archive, MOST_MEMBERS):
            parts = PurePosixPath(member.name).parts[1:]
            if not member.isreg() or member.size > MOST_SOURCE or ".." in parts or not parts:
                continue
            content = archive.extractfile(member)
            if content is not None and parts[-1].endswith(SOURCES):
                path = folder.joinpath(*parts)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.read())


def _download(name: str, version: str, sha256: str, folder: Path) -> Path:
    python = _python_with_pip()
    stand_in = folder / "python"
    stand_in.write_text(STAND_IN.format(python=python), encoding="utf-8")
    stand_in.chmod(0o700)
    wanted = folder / "requirements.txt"
    wanted.write_text(f"{name}=={version} --hash=sha256:{sha256}\n", encoding="utf-8")
    out = folder / "out"
    command = [
        *(python, "-c", RUN_PIP, str(stand_in), "download", "--no-deps", "--no-binary", ":all:"),
        *("--no-build-isolation", "--require-hashes", "--no-input", "--quiet"),
        *("-r", str(wanted), "-d", str(out)),
    ]
    env = {**os.environ, "PIP_USE_PEP517": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    try:
        done = subprocess.run(
            command, capture_output=True, cwd=folder, env=env, timeout=FETCH_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise MissingPart(f"{name} {version}: the package index did not answer in time") from None
    files = list(out.glob("*.tar.gz")) if out.is_dir() else []
    if done.returncode != 0 or len(files) != 1:
        raise _failure(name, version, done.stderr.decode("utf-8", "replace"))
    if files[0].stat().st_size > MOST_BYTES or _sha256(files[0]) != sha256:
        raise BadInput(f"{name} {version}: the source release is too large or not the one pinned")
    return files[0]


def _failure(name: str, version: str, stderr: str) -> BadInput | MissingPart:
    lines = [line.strip() for line in stderr.splitlines() if line.strip().startswith("ERROR")]
    said = (lines or stderr.strip().splitlines() or ["pip gave no reason"])[0][:200]
    if "hash" in stderr.lower() and "THESE PACKAGES DO NOT MATCH" in stderr:
        return BadInput(f"{name} {version}: the index holds a file of another digest")
    return MissingPart(
        f"{name} {version}: no source release could be fetched ({said})",
        next_step="check that pip reaches its package index: pip download --no-deps "
        f"{name}=={version}",
    )


def _python_with_pip() -> str:
    """The interpreter whose pip to use: this one, its base, else the first on PATH."""
    if importlib.util.find_spec("pip") is not None:
        return sys.executable
    base = str(Path(sys.base_prefix) / "bin" / "python3")
    for candidate in (base, shutil.which("python3"), "/usr/bin/python3"):
        if candidate and Path(candidate).exists():
            probe = subprocess.run(
                [candidate, "-c", "import pip"], capture_output=True, check=False
            )
            if probe.returncode == 0:
                return str(candidate)
    raise MissingPart("pip is not installed", next_step="apt-get install python3-pip")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
