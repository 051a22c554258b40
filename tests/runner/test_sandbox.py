"""What a hostile command inside the sandbox can't do, and what its caller gets to know."""

import asyncio
import os
import re
import sys
import time
from pathlib import Path

import pytest

from vedette.kernel.errors import BadInput, MissingPart
from vedette.runner import sandbox as rooms
from vedette.runner.leavings import read_out
from vedette.runner.sandbox import Limits, Outcome, Sandbox, require_bubblewrap

pytestmark = [
    pytest.mark.any_database,
    pytest.mark.skipif(not Path("/usr/bin/bwrap").exists(), reason="bubblewrap is not installed"),
]
PYTHON = {"/python": Path(sys.base_prefix)}


@pytest.fixture
def box() -> Sandbox:
    return Sandbox()


@pytest.fixture(params=["built", "shell"])
def either(request, monkeypatch, box) -> Sandbox:
    """Started by the program that is built for it, and by the shell where there is no compiler."""
    if request.param == "shell":
        monkeypatch.setattr(rooms, "built", lambda source: None)
    elif rooms.built(rooms.LAUNCH) is None:
        pytest.skip("no compiler here")
    return box


def shell(box: Sandbox, script: str, **more) -> Outcome:
    return box.run(["/bin/sh", "-c", script], **more)


def python(box: Sandbox, script: str, **more) -> Outcome:
    name = f"/python/bin/python3.{sys.version_info.minor}"
    return box.run([name, "-I", "-c", script], readonly=PYTHON, **more)


def gone(marker: str) -> bool:
    """No process of this machine has `marker` in its command line, within a second."""
    for _ in range(50):
        lines = []
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                lines.append(entry.read_bytes())
            except OSError:
                continue
        if not any(marker.encode() in line for line in lines):
            return True
        time.sleep(0.02)
    return False


def test_a_command_reads_its_input_and_tells_how_it_ended(box):
    outcome = shell(box, "cat; echo err >&2; exit 7", stdin=b"hello")
    assert (outcome.stdout, outcome.stderr, outcome.exit_code) == (b"hello", b"err\n", 7)
    assert outcome.signal is None
    assert not outcome.timed_out
    assert not outcome.truncated


def test_a_signal_is_told(box):
    outcome = shell(box, "kill -SEGV $$")
    assert outcome.signal == 11


def test_there_is_no_network(box):
    script = (
        "import os, socket\n"
        "print(sorted(os.listdir('/sys/class/net')) if os.path.exists('/sys') else 'no sys')\n"
        "print([name for _, name in socket.if_nameindex()])\n"
        "try: socket.create_connection(('192.0.2.1', 80), 1)\n"
        "except OSError as error: print('failed', error.errno)\n"
    )
    lines = python(box, script).stdout.decode().splitlines()
    assert lines[0] == "no sys"
    assert lines[1] == "['lo']"
    assert lines[2].startswith("failed")


def test_a_listener_of_the_host_is_not_reached(box):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        script = f"import socket; socket.create_connection(('127.0.0.1', {port}), 1)"
        assert python(box, script).exit_code == 1


def test_the_hosts_files_are_not_there(box, tmp_path):
    (tmp_path / "secret").write_text("secret")
    outcome = shell(box, f"ls -a /root /home {tmp_path} /etc/passwd /var; ls -a /etc; env")
    assert b"secret" not in outcome.stdout
    for name in (b"/root", b"/home", b"/etc/passwd", b"/var"):
        assert name + b"'" in outcome.stderr
    assert (
        os.environ["PATH"].encode() not in outcome.stdout or os.environ["PATH"] == "/usr/bin:/bin"
    )


def test_nothing_outside_work_and_tmp_can_be_written(box, tmp_path):
    places = (
        *("/x", "/usr/x", "/etc/x", "/dev/x", "/dev/shm/x", "/proc/sys/kernel/hostname"),
        *("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/seen/x", "/seen/file"),
    )
    script = (
        f"for f in {' '.join(places)}; do (echo x > $f) 2>/dev/null && echo wrote $f; done;"
        " echo x > y; echo x > /tmp/y"
    )
    seen = tmp_path / "seen"
    seen.mkdir()
    (seen / "file").write_text("kept")
    work = tmp_path / "work"
    work.mkdir()
    outcome = shell(box, script, workdir=work, readonly={"/seen": seen})
    assert outcome.stdout == b""
    assert outcome.exit_code == 0
    assert (work / "y").read_text() == "x\n"
    assert (seen / "file").read_text() == "kept"
    assert list(seen.iterdir()) == [seen / "file"]


def test_no_capabilities_and_no_further_user_namespace(box):
    outcome = shell(
        box, "grep -E '^(CapEff|CapBnd|NoNewPrivs|Uid)' /proc/self/status; unshare -U true"
    )
    assert b"CapEff:\t0000000000000000" in outcome.stdout
    assert b"CapBnd:\t0000000000000000" in outcome.stdout
    assert b"NoNewPrivs:\t1" in outcome.stdout
    assert b"Uid:\t65534" in outcome.stdout
    assert outcome.exit_code != 0


def test_a_timeout_kills_children_that_hide(box):
    marker = "86400.4711"
    started = time.monotonic()
    outcome = shell(box, f"setsid sleep {marker} & sleep {marker}", timeout=0.3)
    assert outcome.timed_out
    assert outcome.exit_code is None
    assert time.monotonic() - started < 3
    assert gone(marker)


def test_a_child_left_behind_ends_with_the_command(box):
    marker = "86400.4712"
    outcome = shell(box, f"setsid sleep {marker} >/dev/null 2>&1 & exit 0")
    assert outcome.exit_code == 0
    assert gone(marker)


@pytest.mark.skipif("pids" not in rooms.cgroups.detect().places, reason="no pids cgroup here")
def test_a_fork_bomb_is_contained(either):
    script = (
        "import os, time\nmade = 0\n"
        "try:\n  while made < 5000:\n    made += 1\n    if os.fork() == 0: time.sleep(60)\n"
        "except OSError: print('stopped at', made)\n"
    )
    outcome = python(either, script, limits=Limits(processes=32), timeout=20)
    assert outcome.stdout.startswith(b"stopped at")
    assert int(outcome.stdout.split()[-1]) <= 32


@pytest.mark.skipif("memory" not in rooms.cgroups.detect().places, reason="no memory cgroup here")
def test_memory_is_limited(either):
    script = "x = bytearray(512 << 20); print(len(x))"
    outcome = python(either, script, limits=Limits(memory_bytes=64 << 20))
    assert outcome.stdout == b""
    assert outcome.signal == 9


def test_output_is_bounded_and_the_rest_dropped(box):
    outcome = shell(
        box, "head -c 3000000 /dev/zero; echo end >&2", limits=Limits(output_bytes=1000)
    )
    assert len(outcome.stdout) == 1000
    assert outcome.truncated
    assert outcome.stderr == b"end\n"
    assert outcome.exit_code == 0


def test_an_endless_flood_ends_with_the_time(box):
    outcome = shell(box, "yes", timeout=0.5)
    assert outcome.timed_out
    assert outcome.truncated


def test_limits_are_those_asked_for(either):
    limits = Limits(cpu_seconds=7, file_bytes=8192, open_files=33)
    outcome = shell(either, "cat /proc/self/limits", limits=limits)
    found = dict(re.findall(r"Max (.+?)  +(\d+ +\d+)", outcome.stdout.decode()))
    asked = {"cpu time": 7, "file size": 8192, "core file size": 0, "open files": 33}
    assert {name: found[name].split() for name in asked} == {
        name: [str(most)] * 2 for name, most in asked.items()
    }


def test_a_file_can_not_outgrow_its_limit(box, tmp_path):
    outcome = shell(
        box, "head -c 100000 /dev/zero > big", workdir=tmp_path, limits=Limits(file_bytes=8192)
    )
    assert outcome.exit_code != 0
    assert (tmp_path / "big").stat().st_size <= 8192


def test_what_is_left_is_read_without_following(box, tmp_path):
    (tmp_path / "secret").write_text("secret")
    work = tmp_path / "work"
    work.mkdir()
    script = (
        f"ln -s {tmp_path}/secret link; mkdir folder; mkfifo pipe; echo fine > file;"
        " head -c 5000 /dev/zero > big"
    )
    assert shell(box, script, workdir=work).exit_code == 0
    assert read_out(work, "file", 100) == b"fine\n"
    for name in ("link", "folder", "pipe", "big", "absent", "../secret", "", "..", "a\0b"):
        with pytest.raises(BadInput):
            read_out(work, name, 100)


def test_the_input_given_can_not_be_written_to(box):
    outcome = shell(box, "echo x > /proc/self/fd/0 || echo held; cat", stdin=b"given")
    assert b"held" in outcome.stdout
    assert b"given" in outcome.stdout


def test_a_command_that_is_not_there_is_bad_input(box):
    with pytest.raises(BadInput, match="can't be started"):
        box.run(["/no/such/program"])


def test_a_program_that_exits_1_is_no_setup_failure(box):
    assert shell(box, "echo 'bwrap: forged' >&2; exit 1").exit_code == 1


def test_groups_are_removed_afterwards(box):
    def groups() -> set[Path]:
        places = rooms.cgroups.detect().places.values()
        return {path for folder, _ in places for path in folder.glob(f"vedette-{os.getpid()}-*")}

    before = groups()  # other tests' sandboxes may still be going
    shell(box, "true")
    assert groups() <= before


def test_async_runs_overlap_and_cancelling_kills(box):
    marker = "86400.4713"

    async def story() -> float:
        started = time.monotonic()
        await asyncio.gather(*(box.arun(["/bin/sleep", "0.3"]) for _ in range(3)))
        passed = time.monotonic() - started
        task = asyncio.create_task(box.arun(["/bin/sleep", marker], timeout=60))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return passed

    assert asyncio.run(story()) < 0.85
    assert gone(marker)


def test_without_bubblewrap_nothing_runs(monkeypatch):
    monkeypatch.setattr(rooms.shutil, "which", lambda name: None)
    require_bubblewrap.cache_clear()
    try:
        with pytest.raises(MissingPart, match="apt-get install bubblewrap") as refusal:
            Sandbox()
        assert refusal.value.exit_code == 2
    finally:
        require_bubblewrap.cache_clear()


def test_where_no_group_is_writable_runs_go_on_and_the_description_says_so(box, tmp_path):
    bare = rooms.cgroups.Cgroups(0, {}, "neither cgroup v1 nor v2 is writable")
    box._cgroups = bare
    assert shell(box, "echo ran").stdout == b"ran\n"
    assert bare.label == "no memory and process limits (neither cgroup v1 nor v2 is writable)"
    one = rooms.cgroups.Cgroups(1, {"pids": (tmp_path, "pids.max")})
    assert one.label == "cgroup v1 pids (no memory limit: not writable)"


def test_a_group_has_its_limits_and_names_the_file_to_join(tmp_path):
    places = {"memory": (tmp_path, "memory.max"), "pids": (tmp_path, "pids.max")}
    group = rooms.cgroups.Cgroups(2, places).create(4096, 7)
    (folder,) = group.folders
    assert (folder / "memory.max").read_text() == "4096"
    assert (folder / "pids.max").read_text() == "7"
    assert group.joins == (str(folder / "cgroup.procs"),)
