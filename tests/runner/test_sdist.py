"""A source release is fetched by pip, pinned by digest, and nothing of it runs outside."""

import hashlib
import io
import tarfile

import pytest

from vedette.kernel.errors import BadInput, MissingPart
from vedette.runner.build import build_pypi, run_script
from vedette.runner.reproduce import reproduce
from vedette.runner.sdist import fetch_sdist

SOURCE = """
#include <Python.h>
#include <stdlib.h>
static PyObject *spill(PyObject *self, PyObject *args)
{
    Py_ssize_t size;
    if (!PyArg_ParseTuple(args, "n", &size)) return NULL;
    char *room = malloc(8);
    CHECK
    for (Py_ssize_t i = 0; i < size; i++) room[i] = 'x';
    PyObject *first = PyLong_FromLong(room[0]);
    free(room);
    return first;
}
static PyMethodDef methods[] = {{"spill", spill, METH_VARARGS, ""}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "leaky", NULL, -1, methods};
PyMODINIT_FUNC PyInit_leaky(void) { return PyModule_Create(&module); }
"""
SETUP = """
from setuptools import Extension, setup
try:
    open({marker!r}, "w").write("setup.py ran outside")
except OSError:
    pass
setup(ext_modules=[Extension("leaky", ["leaky.c"], extra_link_args=["-Wl,--strip-all"])])
"""
BACKEND = """
open({marker!r}, "w").write("the backend ran outside")
"""
PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A folder of releases that pip is configured to look into, and into nothing else."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    return folder


def release(shelf, version, check, marker):
    """Write a release `leaky` whose own code leaves `marker` wherever it runs; return digest."""
    files = {
        "PKG-INFO": f"Metadata-Version: 2.1\nName: leaky\nVersion: {version}\n",
        "pyproject.toml": PYPROJECT,
        "backend.py": BACKEND.format(marker=str(marker)),
        "setup.py": SETUP.format(marker=str(marker)),
        "leaky.c": SOURCE.replace("CHECK", check),
        "src/leaky_words/__init__.py": "from leaky_words.said import say\n",
        "src/leaky_words/said.py": "def say(): print('in Python')\n",
    }
    path = shelf / f"leaky-{version}.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"leaky-{version}/{name}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fetched(name, version, sha256, cache):
    try:
        return fetch_sdist(name, version, sha256, cache)
    except MissingPart as missing:
        if "pip is not installed" in str(missing):
            pytest.skip(str(missing))
        raise


def test_nothing_of_a_release_runs_outside_and_its_flaw_is_reproduced(shelf, tmp_path):
    marker = tmp_path / "marker"
    cache = tmp_path / "cache"
    flawed = release(shelf, "1.0", "", marker)
    mended = release(shelf, "1.1", "if (size > 8) size = 8;", marker)
    assert fetched("leaky", "1.0", flawed, cache).read_bytes()
    build = build_pypi("leaky", "1.0", flawed, cache)
    assert build.modules == ("leaky",)
    assert run_script(build, "import leaky; leaky.spill(3)").exit_code == 0
    pure = run_script(build, "import leaky_words; leaky_words.say()")
    assert (pure.exit_code, pure.stdout) == (0, b"in Python\n")
    recipe = {
        "kind": "pypi",
        "name": "leaky",
        "version": "1.0",
        "sha256": flawed,
        "fixed_version": "1.1",
        "fixed_sha256": mended,
        "script": "import leaky; leaky.spill(64)",
    }
    evidence = reproduce(recipe, cache_dir=cache, repeats=2)
    assert evidence.reproduced
    assert (evidence.crash_class, evidence.top_frame) == ("heap-buffer-overflow", "spill")
    assert evidence.frames == ("spill",)
    assert not marker.exists()
    with pytest.raises(BadInput, match="os is no module of leaky"):
        reproduce({**recipe, "script": "import os; os.abort()"}, cache_dir=cache)


def test_a_release_of_another_digest_is_not_taken(shelf, tmp_path):
    release(shelf, "1.0", "", tmp_path / "marker")
    with pytest.raises(BadInput, match="another digest"):
        fetched("leaky", "1.0", "0" * 64, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_an_absent_release_is_a_missing_part_with_a_next_step(shelf, tmp_path):
    with pytest.raises(MissingPart, match="pip download") as missing:
        fetched("leaky", "2.0", "0" * 64, tmp_path / "cache")
    assert missing.value.exit_code == 2


def test_a_kept_release_that_was_changed_is_fetched_anew(shelf, tmp_path):
    sha256 = release(shelf, "1.0", "", tmp_path / "marker")
    kept = fetched("leaky", "1.0", sha256, tmp_path / "cache")
    kept.write_bytes(b"changed")
    assert fetch_sdist("leaky", "1.0", sha256, tmp_path / "cache").read_bytes() != b"changed"
