"""The tree keeps its own contracts: rooms, dependencies, locks, sizes, words, commands."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from scripts import check_locks

from vedette.cli import COMMANDS, vedette

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "vedette"
BIN = Path(sys.executable).parent
PURE = {
    "bench",
    "clearinghouse",
    "engagement",
    "exchange",
    "kernel",
    "ledger",
    "matching",
    "readiness",
}
LONGEST = 400


def tracked(*patterns: str) -> list[Path]:
    """The files of the tree, as git knows them."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "-z", *patterns], cwd=ROOT, capture_output=True, check=True
    )
    paths = (ROOT / name for name in listed.stdout.decode().split("\0") if name)
    return [path for path in paths if path.is_file()]


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, at any depth."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_arrows_between_rooms_point_down() -> None:
    verdict = subprocess.run(
        [BIN / "lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert verdict.returncode == 0, verdict.stdout[-3000:] + verdict.stderr


def test_pure_rooms_open_no_connection() -> None:
    """import-linter sees whole packages only; urllib.parse is lawful, urllib.request is not."""
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in tracked("src/vedette/*.py")
        if path.relative_to(SOURCE).parts[0] in PURE
        for name in imports(path)
        if re.match(r"(urllib\.request|http\.|socket|ftplib|smtplib|subprocess|asyncio)\b", name)
    ]
    assert found == []


def test_every_import_is_declared() -> None:
    """What works only because another package brings it breaks on that one's next release."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    declared = {plain(re.split(r"[^\w.-]", requirement)[0]) for requirement in wanted}
    brought_by = importlib.metadata.packages_distributions()
    undeclared = {
        f"{path.relative_to(ROOT)}: {top}"
        for path in tracked("src/vedette/*.py")
        # an item's program imports the flawed package that is built beside it, in a sandbox
        if "bench/data" not in path.as_posix()
        for name in imports(path)
        if (top := name.partition(".")[0]) not in sys.stdlib_module_names | {"vedette"}
        and not declared & {plain(owner) for owner in brought_by.get(top, [])}
    }
    assert undeclared == set()


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_locks_are_whole_and_name_no_host(capsys: pytest.CaptureFixture[str]) -> None:
    assert check_locks.main() == 0, capsys.readouterr().out


NO_DIGEST = "--hash=sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("--index-url https://index.example/simple", "not a plain pin"),
        (f"click @ https://host.example/click.zip {NO_DIGEST}", "not a plain pin"),
        ("click==8.0.0", "without sha256 hashes"),
        (f"click==8.0.0 {NO_DIGEST}", "differs from all.txt"),
        (f"torch==2.0.0 {NO_DIGEST}", "too heavy"),
    ],
)
def test_lock_check_finds_a_breach(
    line: str, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    core = copied_locks(tmp_path) / "core.txt"
    assert check_locks.main(tmp_path) == 0
    core.write_text(core.read_text() + line + "\n")
    assert check_locks.main(tmp_path) == 1
    assert complaint in capsys.readouterr().out


def test_lock_check_misses_no_declaration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    core = copied_locks(tmp_path) / "core.txt"
    core.write_text(re.sub(r"(?m)^click==(.*\\\n)*.*\n", "", core.read_text()))
    assert check_locks.main(tmp_path) == 1
    assert capsys.readouterr().out == "core.txt: lacks click; scripts/lock writes it anew\n"


def copied_locks(folder: Path) -> Path:
    """The project's declarations and locks in another folder, of which the locks' is returned."""
    shutil.copy(ROOT / "pyproject.toml", folder)
    shutil.copytree(ROOT / "requirements", folder / "requirements")
    return folder / "requirements"


def test_files_fit_in_a_head() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in tracked("*.py")
        if "migrations" not in path.parts
    }
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST} == {}


def test_tree_names_no_registry_and_no_machine() -> None:
    """A clone builds anywhere: no index host, no download address, no path of one machine."""
    banned = re.compile(
        r"files\.python"
        r"hosted\.org|py"
        r"pi\.org/simple|registry\.npm"
        r"js\.org"
        r"|https?://[^\s\"'<>]+\.(?:whl|tgz)\b"
        r"|(?<![\w.~/-])/(?:work/(?:main|shared)|root|home/[a-z]\w*|Users/\w+)/"
    )
    assert lines_with(banned) == []


def test_tree_speaks_of_the_project_only() -> None:
    banned = re.compile(
        r"\b[Hh]elper [A-Z]\b|\bissues show\b|shared/(?:order|architecture|style|surfaces)\b"
        r"|\bT"
        r"ODO\b|\bF"
        r"IXME\b|\bX"
        r"XX\b"
    )
    assert lines_with(banned) == []


def lines_with(banned: re.Pattern[str]) -> list[str]:
    """Each line of the tree's own text that holds a banned pattern."""
    found = []
    for path in tracked():
        if path.suffix in {".svg", ".png", ".woff2", ".xz", ".css", ".js"} or path.is_symlink():
            continue
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1):
            if banned.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    return found


def commands(group: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """A command and those below it."""
    yield name, group
    if isinstance(group, click.Group):
        context = click.Context(group)
        for below in group.list_commands(context):
            command = group.get_command(context, below)
            assert command is not None
            yield from commands(command, f"{name} {below}")


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_helps_with_an_example(name: str) -> None:
    top = vedette.get_command(click.Context(vedette), name)
    assert top is not None
    for path, command in commands(top, name):
        shown = CliRunner().invoke(vedette, [*path.split(), "--help"])
        assert shown.exit_code == 0, f"{path}: {shown.output}"
        assert command.help, f"{path} says nothing"
        assert "Example" in shown.output, f"{path} --help shows no example"
