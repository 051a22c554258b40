"""A sandbox kept over a sample's commands isolates as one made for each of them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from vedette.kernel.errors import BadInput, OurFault
from vedette.runner import cgroups, kept
from vedette.runner.kept import Kept
from vedette.runner.sandbox import Limits, Outcome, Sandbox, require_bubblewrap

pytestmark = [
    pytest.mark.any_database,
    pytest.mark.skipif(
        not Path("/usr/bin/bwrap").exists() or kept.keeper() is None,
        reason="bubblewrap or a compiler is not installed",
    ),
]


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Kept]:
    made = Kept(Sandbox(Limits(processes=32)), tmp_path)
    yield made
    made.end()


def shell(box: Kept, script: str, timeout: float = 10) -> Outcome:
    return box.run(["/bin/sh", "-c", script], timeout=timeout)


def running(marker: str) -> bool:
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if marker.encode() in entry.read_bytes():
                return True
        except OSError:
            continue
    return False


def gone(marker: str) -> bool:
    """Not running within a second: what is killed takes a moment to be gone."""
    for _ in range(50):
        if not running(marker):
            return True
        time.sleep(0.02)
    return False


def test_commands_share_one_sandbox_and_tell_how_they_ended(box: Kept) -> None:
    first = box.run(["sh", "-c", 'cat; echo "$A $HOME" >&2; exit 7'], stdin=b"in", env={"A": "1"})
    assert (first.stdout, first.stderr, first.exit_code) == (b"in", b"1 /box\n", 7)
    space = box.run(["readlink", "/proc/self/ns/pid"]).stdout
    assert box.run(["readlink", "/proc/self/ns/pid"]).stdout == space
    assert shell(box, "kill -SEGV $$").signal == 11
    assert shell(box, "mkdir a; echo x > /tmp/y").exit_code == 0
    assert box.run(["pwd"], cwd="a").stdout == b"/box/a\n"
    assert box.run(["cat", "/tmp/y"]).stdout == b"x\n"
    assert box.run(["/no/such/program"]).exit_code == 127
    assert box.run(["pwd"], cwd="nowhere").exit_code == 22


def test_it_isolates_as_a_fresh_one_does(box: Kept) -> None:
    look = (
        "grep -E '^(CapEff|CapBnd|NoNewPrivs|Uid)' /proc/self/status;"
        " unshare -U true && echo nested;"
        " ls /sys /home /root 2>&1 | wc -l; cat /proc/net/dev | tail -n +3 | cut -d: -f1;"
        " ulimit -n; ulimit -t; ulimit -f; ulimit -c; env | sort; echo x > /usr/x && echo wrote"
    )
    fresh = Sandbox(Limits(processes=32)).run(["/bin/sh", "-c", look])
    assert shell(box, look).stdout == fresh.stdout
    assert b"nested" not in fresh.stdout


def test_what_a_command_leaves_running_ends_with_it(box: Kept) -> None:
    marker = "86400.4731"
    assert shell(box, f"setsid sleep {marker} > /dev/null 2>&1 &").exit_code == 0
    assert gone(marker)
    started = time.monotonic()
    assert shell(box, f"setsid sleep {marker} & echo told").stdout == b"told\n"
    assert time.monotonic() - started < 8


def test_a_time_that_runs_out_ends_all_and_the_next_command_has_a_new_sandbox(box: Kept) -> None:
    marker = "86400.4732"
    ran_out = shell(box, f"echo x > kept; setsid sleep {marker} & sleep {marker}", timeout=0.3)
    assert ran_out.timed_out
    assert ran_out.exit_code is None
    assert gone(marker)
    assert shell(box, "cat kept; ls /tmp").stdout == b"x\n"


def test_commands_run_side_by_side(box: Kept) -> None:
    assert shell(box, "true").exit_code == 0

    async def both() -> list[Outcome]:
        script = "echo $$ > $0; while ! [ -e $1 ]; do sleep 0.01; done; echo met"
        return await asyncio.gather(
            box.arun(["sh", "-c", script, "a", "b"]), box.arun(["sh", "-c", script, "b", "a"])
        )

    assert [outcome.stdout for outcome in asyncio.run(both())] == [b"met\n", b"met\n"]


def test_the_keeper_is_out_of_reach_and_hands_nothing_on(box: Kept) -> None:
    handles = shell(box, "ls /proc/self/fd | wc -l; ls -l /proc/self/fd | grep -c socket")
    assert handles.stdout == b"4\n0\n"  # the listing's own is the fourth
    found = shell(box, "for p in /proc/[0-9]*; do grep -q keeper $p/comm && echo ${p#/proc/}; done")
    keeper = int(found.stdout)
    for look in ("cat mem", "cat maps", "cat environ", "readlink fd/3", "readlink exe"):
        assert shell(box, f"cd /proc/{keeper} && {look}").exit_code != 0, look


def test_nothing_inside_kills_or_stops_the_keeper(box: Kept) -> None:
    space = box.run(["readlink", "/proc/self/ns/pid"]).stdout
    told = shell(box, "for s in STOP TERM SEGV KILL; do kill -$s 1; done; kill -9 -1; echo $?")
    assert (told.exit_code, told.stdout) == (0, b"1\n")
    assert box.run(["readlink", "/proc/self/ns/pid"]).stdout == space


def test_a_sandbox_that_ended_is_told_and_the_next_command_has_a_new_one(box: Kept) -> None:
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(shell, box, "touch begun; sleep 60", 60)
        while not box.run(["ls"]).stdout:
            time.sleep(0.01)
        box.end()
        assert waiting.result(10).exit_code == 137
    assert shell(box, "echo on").stdout == b"on\n"


def test_output_is_bounded(box: Kept) -> None:
    told = box.run(["head", "-c", "3000000", "/dev/zero"], output_bytes=1000)
    assert (len(told.stdout), told.truncated, told.exit_code) == (1000, True, 0)


def test_a_fork_bomb_is_contained(box: Kept) -> None:
    if "pids" not in cgroups.detect().places:
        pytest.skip("no pids cgroup here")
    shell(box, "bomb() { bomb | bomb & }; bomb; sleep 0.2", timeout=5)
    assert shell(box, "echo on").stdout == b"on\n"


def test_files_are_opened_inside(box: Kept, tmp_path: Path) -> None:
    assert box.run(["/box/a/b/c"], op="w", stdin=bytes(range(256))).exit_code == 0
    assert box.run(["/box/a/b/c"], op="r").stdout == bytes(range(256))
    shell(box, f"ln -s {tmp_path}/a/b/c link; mkfifo pipe")
    assert box.run(["/box/link"], op="r").exit_code == 22
    assert box.run(["/box/a"], op="r").exit_code == 21
    assert box.run(["/box/a"], op="w").exit_code == 21
    assert box.run(["/box/a/b/c/d"], op="r").exit_code == 22
    assert box.run(["/usr/x"], op="w").exit_code == 1
    assert box.run(["/box/pipe"], op="r", timeout=0.2).timed_out


@pytest.mark.parametrize("argv", [[], ["a\0b"], ["x" * 100_000], ["x"] * 3000])
def test_a_command_that_is_none_is_bad_input(box: Kept, argv: list[str]) -> None:
    with pytest.raises(BadInput, match="sandbox: a command of"):
        box.run(argv)


def test_cancelling_ends_the_sandbox(box: Kept) -> None:
    marker = "86400.4733"

    async def story() -> None:
        task = asyncio.create_task(box.arun(["sleep", marker], timeout=60))
        while not running(marker):
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(story())
    assert gone(marker)


def test_a_keeper_that_takes_nothing_holds_nobody_else_up(box: Kept) -> None:
    assert shell(box, "true").exit_code == 0
    assert box._open is not None
    (keeper,) = children(box._open[0]._process.pid)
    os.kill(keeper, signal.SIGSTOP)
    late = threading.Timer(8, os.kill, (keeper, signal.SIGKILL))
    late.start()

    async def many() -> list[Outcome]:
        told = (box.arun(["true", "x" * 60_000], timeout=0.2) for _ in range(8))
        return await asyncio.gather(*told)

    assert asyncio.run(many())[0].timed_out
    assert late.is_alive()
    late.cancel()
    assert shell(box, "echo on").stdout == b"on\n"


def children(process: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            if f"\nPPid:\t{process}\n" in status.read_text():
                found.append(int(status.parent.name))
    return found


def groups() -> set[Path]:
    places = cgroups.detect().places.values()
    return {found for folder, _ in places for found in folder.glob(f"vedette-{os.getpid()}-*")}


def test_nothing_is_left_of_it(tmp_path: Path) -> None:
    before, known = set(os.listdir("/proc/self/fd")), groups()  # an earlier sandbox may be ending
    box = Kept(Sandbox(), tmp_path)
    assert box.run(["true"]).exit_code == 0
    box.end()
    box.end()
    box.begin()
    box.close()()
    box.begin()
    with pytest.raises(OurFault, match="closed"):
        box.run(["true"])
    assert set(os.listdir("/proc/self/fd")) == before
    assert groups() <= known
    assert threading.active_count() < 20


def test_where_none_can_be_made_the_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2; exit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    require_bubblewrap.cache_clear()
    try:
        box = Kept(Sandbox(), tmp_path)
        with pytest.raises(OurFault, match="No permissions to create new namespace"):
            box.run(["true"])
    finally:
        require_bubblewrap.cache_clear()


def test_it_ends_with_a_holder_that_is_killed(tmp_path: Path) -> None:
    marker = "86400.4734"
    code = (
        "from pathlib import Path; from vedette.runner.kept import Kept;"
        " from vedette.runner.sandbox import Sandbox;"
        f" Kept(Sandbox(), Path({str(tmp_path)!r})).run(['sleep', {marker!r}], timeout=600)"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as holder:
        for _ in range(1000):
            if running(f"sleep\0{marker}"):
                break
            time.sleep(0.02)
        holder.send_signal(signal.SIGKILL)
    for _ in range(500):
        if not running(f"sleep\0{marker}"):
            return
        time.sleep(0.02)
    raise AssertionError("the sandbox outlived its holder")
