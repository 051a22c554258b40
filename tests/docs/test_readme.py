"""The README's commands do what it says that they do.

Every ```console block is run in order in one shell, in a folder that has the clone's docs/. A line
`$ ` is a command (`> ` continues it), what follows is its output: `…` inside a line stands for any
text, a line `…` for any lines. Addresses on loopback get free ports. `<!-- test: join -->` stands
for a person who opens the one-time links printed so far and joins.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
README = ROOT / "README.md"
BIN = Path(sys.executable).parent
PASSWORD = "a-password-of-the-readme"
ANYTHING = "…"


@dataclass(frozen=True)
class Step:
    """One command with what it should print."""

    section: str
    command: str
    output: tuple[str, ...]


JOIN = "join"


def steps(text: str) -> Iterator[Step]:
    """The commands of every console block in order, and JOIN where a person joins."""
    section = ""
    pieces = re.split(r"^(## .*|```console\n[\s\S]*?\n```|<!-- test: join -->)$", text, flags=re.M)
    for piece in pieces:
        if piece.startswith("## "):
            section = piece.removeprefix("## ")
        elif piece.startswith("<!-- test: join"):
            yield Step(section, JOIN, ())
        elif piece.startswith("```console"):
            lines = piece.split("\n")[1:-1]
            for block in re.split(r"^(?=\$ )", "\n".join(lines), flags=re.M):
                if block:
                    yield step(section, block.rstrip("\n").split("\n"))


def step(section: str, lines: list[str]) -> Step:
    command = [lines.pop(0).removeprefix("$ ")]
    while lines and lines[0].startswith("> "):
        command.append(lines.pop(0).removeprefix("> "))
    return Step(section, "\n".join(command), tuple(lines))


def agrees(expected: tuple[str, ...], printed: str) -> bool:
    """Whether the output is as expected; … stands for what may differ."""
    pattern = ""
    for line in expected:
        if line == ANYTHING:
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*".join(map(re.escape, line.split(ANYTHING))) + r"\n"
    return re.fullmatch(pattern, printed) is not None


class Shell:
    """One bash, so that variables and background processes carry over."""

    def __init__(self, folder: Path) -> None:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("VEDETTE_", "DJANGO_"))}
        self.process = subprocess.Popen(
            ["bash", "--norc"],
            cwd=folder,
            env={
                **kept,
                "PATH": f"{BIN}:{kept['PATH']}",
                "PYTHONUNBUFFERED": "1",
                "XDG_CACHE_HOME": str(folder / "cache"),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, command: str) -> tuple[str, int]:
        """Run one command; return what it printed and its exit status."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        mark = f"-- {os.urandom(8).hex()}"
        self.process.stdin.write(f"{command}\necho '{mark}' $?\n")
        self.process.stdin.flush()
        printed = ""
        for line in self.process.stdout:
            if line.startswith(mark):
                return printed, int(line.split()[-1])
            printed += line
        raise AssertionError(f"the shell ended in: {command}\n{printed}")

    def close(self) -> None:
        """End the shell and what it left running."""
        os.killpg(self.process.pid, signal.SIGTERM)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                os.killpg(self.process.pid, 0)
            except ProcessLookupError:
                break
            self.process.poll()
            time.sleep(0.1)
        else:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()


def with_free_ports(text: str) -> str:
    """The text with each loopback port replaced by a free one."""
    ports = sorted(set(re.findall(r"127\.0\.0\.1:(\d+)", text)))
    probes = [socket.socket() for _ in ports]
    for port, probe in zip(ports, probes, strict=True):
        probe.bind(("127.0.0.1", 0))
        text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{probe.getsockname()[1]}")
    for probe in probes:
        probe.close()
    return text


def join(link: str) -> None:
    """Open a one-time link as a browser does, and join."""
    with httpx.Client(timeout=60, follow_redirects=True, trust_env=False) as browser:
        page = until_served(browser, link)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token, page.text[:500]
        form = {"csrfmiddlewaretoken": token[1], "name": "Ann Example", "password": PASSWORD}
        answer = browser.post(link, data=form, headers={"Referer": link})
        assert answer.status_code == 200, answer.text[:500]
        assert "welcome" not in str(answer.url), "joining leads on to the portal"


def until_served(browser: httpx.Client, link: str) -> httpx.Response:
    for _ in range(300):
        try:
            return browser.get(link)
        except httpx.ConnectError:
            time.sleep(0.2)
    raise AssertionError(f"nothing answers at {link}")


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    made = Shell(tmp_path)
    yield made
    made.close()


def play(shell: Shell, section: str) -> None:
    """Run one section's commands, checking what each prints."""
    links: list[str] = []
    text = with_free_ports(README.read_text("utf-8"))
    chosen = [found for found in steps(text) if found.section == section]
    assert chosen, f"no commands under {section!r}"
    for found in chosen:
        if found.command == JOIN:
            assert links, "no link was printed before"
            for link in links:
                join(link)
            continue
        printed, status = shell.run(found.command)
        assert status == 0, f"$ {found.command}\n{printed}"
        assert agrees(found.output, printed), (
            f"$ {found.command}\n{printed}\nexpected:\n" + "\n".join(found.output)
        )
        links += re.findall(r"http://\S+/welcome/\S+", printed)


needs_sandbox = pytest.mark.skipif(
    not (shutil.which("bwrap") and shutil.which("gcc")), reason="bubblewrap or gcc is missing"
)


@needs_sandbox
def test_stand_alone_commands(shell: Shell) -> None:
    play(shell, "Alone on the command line")


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is missing")
def test_two_instances(shell: Shell) -> None:
    play(shell, "Two instances in ten minutes")


def test_every_console_block_belongs_to_a_section_that_is_played() -> None:
    played = {"Alone on the command line", "Two instances in ten minutes"}
    assert {found.section for found in steps(README.read_text("utf-8"))} == played


@pytest.mark.parametrize("target", ["demo", "serve", "test", "test-long", "bench"])
def test_make_has_the_targets_named(target: str) -> None:
    assert f"make {target}" in README.read_text("utf-8")
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text("utf-8"), re.M)


@pytest.mark.parametrize(
    ("expected", "printed", "verdict"),
    [
        (("one",), "one\n", True),
        (("one",), "two\n", False),
        (("one",), "one\ntwo\n", False),
        (("one", "…"), "one\ntwo\nthree\n", True),
        (("one …",), "one of four\n", True),
        (("one …",), "two of four\n", False),
        ((), "", True),
        ((), "one\n", False),
    ],
)
def test_the_comparison_can_fail(expected: tuple[str, ...], printed: str, verdict: bool) -> None:
    assert agrees(expected, printed) == verdict
