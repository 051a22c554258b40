"""Builds a source release's C extensions under AddressSanitizer, inside the sandbox.

Usage: python -I build_extension.py SDIST.tar.gz

The release's own setup.py runs with stand-ins for setuptools and distutils that only record which
extensions it names; the compiler is then called from here, with symbols kept whatever link flags
it asked for. Unpacks into `source`, leaves the modules in the current folder, beside them what the
release has in Python, as `pure.zip`, and prints their file names as JSON.
"""

import glob
import json
import os
import runpy
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import types
import zipfile
from concurrent.futures import ThreadPoolExecutor

FLAGS = ["-O1", "-g", "-fPIC", "-fsanitize=address", "-fno-omit-frame-pointer", "-w"]
STRIPPING = {"-Wl,--strip-all", "-Wl,-s", "-Wl,--strip-debug", "-Wl,-S", "-s", "-S"}
CXX = (".cc", ".cpp", ".cxx")
PURE = "pure.zip"
# what a setup.py catches to go on without its extension
FAILURES = ("CCompilerError", "DistutilsError", "DistutilsExecError", "DistutilsPlatformError")


class Extension:
    """Records one extension module as setup.py describes it."""

    def __init__(self, name, sources, **options):
        self.name = name
        self.sources = [str(source) for source in sources]
        self.options = options

    def listed(self, field):
        return [str(value) for value in self.options.get(field) or []]

    def preprocessor(self):
        macros = self.options.get("define_macros") or []
        defined = [f"-D{key}" if value is None else f"-D{key}={value}" for key, value in macros]
        folders = [*self.listed("include_dirs"), sysconfig.get_paths()["include"]]
        return [*defined, *(f"-I{folder}" for folder in folders)]


def stand_in(name, **members):
    module = types.ModuleType(name)
    module.__dict__.update(members)
    sys.modules[name] = module


def recorded_extensions():
    found = []

    def setup(**fields):
        found.extend(fields.get("ext_modules") or [])

    class Command:
        pass

    members = {"Extension": Extension, "setup": setup, "find_packages": lambda *a, **k: []}
    for name in ("setuptools", "distutils", "distutils.core", "distutils.extension"):
        stand_in(name, Command=Command, __path__=[], **members)
    for name in ("setuptools.command", "distutils.command"):
        stand_in(name, __path__=[])
        stand_in(f"{name}.build_ext", build_ext=Command)
    stand_in("distutils.errors", **dict.fromkeys(FAILURES, OSError))
    sys.path.insert(0, os.getcwd())
    sys.argv = ["setup.py", "build_ext"]
    runpy.run_path("setup.py", run_name="__main__")
    return found


def call(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if "error" in line]
        sys.exit((errors or done.stderr.splitlines() or ["the compiler failed"])[0][:300])


def compile_one(extension, number, source):
    compiler = "g++" if source.endswith(CXX) else "gcc"
    target = os.path.join(tempfile.gettempdir(), f"{extension.name}.{number}.o")
    extra = extension.listed("extra_compile_args")
    call(
        [
            compiler,
            *FLAGS,
            *extension.preprocessor(),
            *extra,
            "-c",
            os.path.abspath(source),
            "-o",
            target,
        ]
    )
    return target


def build(extension, folder):
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [
            pool.submit(compile_one, extension, number, source)
            for number, source in enumerate(extension.sources)
        ]
        objects = [job.result() for job in jobs]
    linker = "g++" if any(source.endswith(CXX) for source in extension.sources) else "gcc"
    name = extension.name.rsplit(".", 1)[-1] + sysconfig.get_config_var("EXT_SUFFIX")
    extra = [flag for flag in extension.listed("extra_link_args") if flag not in STRIPPING]
    extra += [f"-L{path}" for path in extension.listed("library_dirs")]
    extra += [f"-l{library}" for library in extension.listed("libraries")]
    call([linker, "-shared", *FLAGS, *objects, *extra, "-o", os.path.join(folder, name)])
    return name


def bundle(folder):
    """The release's own packages, which its extension modules may import."""
    with zipfile.ZipFile(os.path.join(folder, PURE), "w") as made:
        for base in (".", "src", "lib"):
            for first in sorted(glob.glob(f"{base}/*/__init__.py")):
                for path in sorted(glob.glob(f"{os.path.dirname(first)}/**/*.py", recursive=True)):
                    with open(path, "rb") as file:
                        made.writestr(zipfile.ZipInfo(os.path.relpath(path, base)), file.read())
    return PURE


def main():
    folder = os.getcwd()
    with tarfile.open(sys.argv[1]) as archive:
        archive.extractall("source")  # noqa: S202  (the sandbox holds whatever it unpacks to)
    (root,) = glob.glob("source/*/")
    os.chdir(root)
    extensions = recorded_extensions()
    if not extensions:
        sys.exit("setup.py names no extension module")
    names = [build(extension, folder) for extension in extensions]
    print(json.dumps([*names, bundle(folder)]))


main()
