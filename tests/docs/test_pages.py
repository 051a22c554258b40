"""Pages agree with the tree: links, files named, rooms, extras, decisions, version."""

from __future__ import annotations

import configparser
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCE = ROOT / "src" / "vedette"
PAGES = sorted(
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
)
OF_THE_TREE = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CONTEXT.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"`[^`\n]*`", "", page.read_text("utf-8"))
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
    lost = [
        link
        for link in links
        if not link.startswith(("https://", "http://")) and not (page.parent / link).exists()
    ]
    assert lost == []


@pytest.mark.parametrize("name", OF_THE_TREE)
def test_files_named_exist(name: str) -> None:
    """A path in backticks stands for a file of the tree or of the package."""
    text = re.sub(r"```[\s\S]*?```", "", (ROOT / name).read_text("utf-8"))
    paths = re.findall(r"`((?:[\w.-]+/)+[\w.-]*)`", text)
    made = {"demo-out/", "tests/ROOM/"}
    places = (ROOT, SOURCE)
    assert [p for p in paths if p not in made and not any((at / p).exists() for at in places)] == []


def test_rooms_are_those_of_the_contract() -> None:
    contract = configparser.ConfigParser()
    contract.read(ROOT / ".importlinter")
    layers = contract["importlinter:contract:layers"]["layers"].split("\n")
    ordered = [re.findall(r"\w+", layer) for layer in layers if layer.strip()]
    block = (ROOT / "ARCHITECTURE.md").read_text("utf-8").split("## Rooms")[1].split("```")[1]
    drawn = [re.split(r" {3,}", line)[0].split() for line in block.strip().split("\n")]
    assert drawn == ordered
    rooms = {path.name for path in SOURCE.iterdir() if (path / "__init__.py").is_file()}
    assert {room for line in drawn for room in line} == rooms


def test_the_extras_are_those_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    table = (ROOT / "README.md").read_text("utf-8").split("## Install")[1].split("## ")[0]
    named = re.findall(r"^\| `(\w+)` \|", table, re.M)
    assert sorted(named) == sorted(project["optional-dependencies"])


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "adr"
    listed = re.findall(r"\((\d{4}-[\w-]+\.md)\)", (folder / "README.md").read_text("utf-8"))
    assert sorted(listed) == sorted(path.name for path in folder.glob("0*.md"))


def test_the_version_is_in_the_changelog() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert version in (ROOT / "CHANGELOG.md").read_text("utf-8")
