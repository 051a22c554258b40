"""The sandbox provider, as any Inspect task would use it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

pytest.importorskip("inspect_ai")

from inspect_ai.util import (
    OutputLimitExceededError,
    SandboxEnvironmentLimits,
    SandboxUserUnsupportedError,
)

from vedette.runner.inspect import provider as module
from vedette.runner.inspect.provider import BubblewrapConfig, BubblewrapEnvironment


def using(
    config: BubblewrapConfig, act: Callable[[BubblewrapEnvironment], Awaitable[None]]
) -> Path:
    """Run `act` in a sample's sandbox; returns the folder it had."""

    async def go() -> Path:
        environments = await BubblewrapEnvironment.sample_init("task", config, {})
        environment = environments["default"].as_type(BubblewrapEnvironment)
        try:
            await act(environment)
        finally:
            await BubblewrapEnvironment.sample_cleanup("task", config, environments, False)
            await BubblewrapEnvironment.task_cleanup("task", config, True)
        return environment.folder

    return asyncio.run(go())


pytestmark = pytest.mark.any_database


@pytest.fixture(autouse=True, params=["kept", "fresh"])
def _either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a sandbox kept for the sample, and with a fresh one a command, as without a compiler."""
    if request.param == "fresh":
        monkeypatch.setattr(module, "keeper", lambda: None)


@pytest.fixture(autouse=True)
def _no_throttle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside an eval Inspect has no concurrency registry."""

    class Free:
        async def __aenter__(self) -> None: ...
        async def __aexit__(self, *_: object) -> None: ...

    monkeypatch.setattr(module, "concurrency", lambda *a, **k: Free())


def test_commands_share_the_samples_folder_and_nothing_is_left() -> None:
    async def act(sandbox: BubblewrapEnvironment) -> None:
        await sandbox.write_file("a/b.txt", "hallo\r\n")
        assert await sandbox.read_file("a/b.txt") == "hallo\r\n"
        result = await sandbox.exec(["cat", "b.txt"], cwd="a")
        assert (result.success, result.stdout) == (True, "hallo\r\n")
        failed = await sandbox.exec(["sh", "-c", "echo no >&2; exit 3"])
        assert (failed.success, failed.returncode, failed.stderr) == (False, 3, "no\n")
        piped = await sandbox.exec(["cat"], input="in", env={"A": "1"})
        assert piped.stdout == "in"

    assert not using(BubblewrapConfig(), act).exists()


def test_binary_files_go_and_come_unchanged(tmp_path: Path) -> None:
    data = bytes(range(256)) * 10
    (tmp_path / "x").write_bytes(data)

    async def act(sandbox: BubblewrapEnvironment) -> None:
        assert await sandbox.read_file("/item/x", text=False) == data
        await sandbox.write_file("y", data)
        assert await sandbox.read_file("y", text=False) == data
        with pytest.raises(PermissionError):
            await sandbox.write_file("/item/x", b"")

    using(BubblewrapConfig(readonly={"/item": str(tmp_path)}), act)
    assert (tmp_path / "x").read_bytes() == data


def test_errors_are_those_of_inspects_interface() -> None:
    async def act(sandbox: BubblewrapEnvironment) -> None:
        with pytest.raises(FileNotFoundError):
            await sandbox.read_file("gone")
        with pytest.raises(IsADirectoryError):
            await sandbox.read_file(".")
        with pytest.raises(TimeoutError):
            await sandbox.exec(["sleep", "20"], timeout=1)
        with pytest.raises(SandboxUserUnsupportedError):
            await sandbox.exec(["id"], user="root")
        missing = await sandbox.exec(["no-such-command"])
        assert missing.returncode == 127
        await sandbox.exec(["sh", "-c", "head -c 3000 /dev/zero > big"])
        original = SandboxEnvironmentLimits.MAX_READ_FILE_SIZE
        try:
            module.SandboxEnvironmentLimits = _Small  # type: ignore[assignment,misc,attr-defined]
            with pytest.raises(OutputLimitExceededError):
                await sandbox.read_file("big")
        finally:
            module.SandboxEnvironmentLimits = SandboxEnvironmentLimits  # type: ignore[misc,attr-defined]
        assert original > 3000

    using(BubblewrapConfig(), act)


class _Small:
    MAX_READ_FILE_SIZE = 1000
    MAX_READ_FILE_SIZE_STR = "1000 B"
    MAX_EXEC_OUTPUT_SIZE = 1000


def test_a_link_out_of_the_folder_shows_nothing_of_the_host(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("host")

    async def act(sandbox: BubblewrapEnvironment) -> None:
        await sandbox.exec(["ln", "-s", str(secret), "link"])
        with pytest.raises(FileNotFoundError):
            await sandbox.read_file("link")
        await sandbox.exec(["sh", "-c", f"echo x > {secret}"])

    using(BubblewrapConfig(), act)
    assert secret.read_text() == "host"


def test_there_is_no_network() -> None:
    async def act(sandbox: BubblewrapEnvironment) -> None:
        links = await sandbox.exec(["cat", "/proc/net/dev"])
        names = [line.split(":")[0].strip() for line in links.stdout.splitlines()[2:]]
        assert names in ([], ["lo"])

    using(BubblewrapConfig(), act)


async def begun(config: BubblewrapConfig) -> BubblewrapEnvironment:
    made = await BubblewrapEnvironment.sample_init("task", config, {})
    return made["default"].as_type(BubblewrapEnvironment)


def test_a_sandbox_started_ahead_is_as_new(tmp_path: Path) -> None:
    config = BubblewrapConfig(readonly={"/item": str(tmp_path)})
    left: list[Path] = []

    async def story() -> None:
        spaces = set()
        for number in range(4):
            sandbox = await begun(config)
            left.extend({sandbox.folder, *(a.folder for a in [module._AHEAD._next] if a)})
            assert (await sandbox.exec(["sh", "-c", "ls -A . /tmp"])).stdout == ".:\n\n/tmp:\n"
            spaces.add((await sandbox.exec(["readlink", "/proc/self/ns/pid"])).stdout)
            assert (await sandbox.exec(["sh", "-c", "touch x /tmp/y; ls /item"])).stdout == "".join(
                f"{n}\n" for n in range(number)
            )
            (tmp_path / str(number)).touch()  # what is shown is the place, not a copy
            sandbox.end()
        assert len(spaces) == 4 or not module.keeper()
        await BubblewrapEnvironment.task_cleanup("task", config, True)

    asyncio.run(story())
    assert len(set(left)) == (5 if module.keeper() else 4)
    assert not any(folder.exists() for folder in left)


def test_one_started_ahead_is_not_given_where_its_paths_name_something_else(tmp_path: Path) -> None:
    shown = tmp_path / "shown"
    plain, config = BubblewrapConfig(), BubblewrapConfig(readonly={"/item": str(shown)})

    async def told(config: BubblewrapConfig, what: str) -> str:
        sandbox = await begun(config)
        told = (await sandbox.exec(["cat", what])).stdout
        sandbox.end()
        return told

    async def story() -> None:
        for content in ("a", "a", "b", "b"):
            (tmp_path / "new").write_text(content)
            (tmp_path / "new").replace(shown)
            assert await told(config, "/item") == content
        assert await told(plain, "/item") == ""
        assert await told(config, "/item") == "b"
        await BubblewrapEnvironment.task_cleanup("task", config, True)

    asyncio.run(story())
