"""The filter on system calls: what its program decides, and what programs in a sandbox notice."""

from __future__ import annotations

import errno
import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.bench.isolation import LIMITED, Level
from vedette.runner import cgroups, isolation, sandbox, seccomp
from vedette.runner.sandbox import Sandbox

pytestmark = pytest.mark.any_database
HERE = pytest.mark.skipif(
    shutil.which("bwrap") is None or shutil.which("gcc") is None or seccomp.filter_here() is None,
    reason="bubblewrap, a compiler or a filter for this machine is not here",
)
ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
MACHINES = st.sampled_from(sorted(seccomp.AUDIT))
INTERESTING = st.one_of(
    st.sampled_from(
        sorted({value for call in seccomp.CALLS if call.when for value in call.when.values})
    ),
    st.integers(0, 2**64 - 1),
    st.integers(0, 64),
)
PROGRAM = r"""
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
int main(int count, char **words) {
  void *volatile lost = 0;
  if (!strcmp(words[1], "leak")) { lost = malloc(99); lost = 0; return 0; }
  if (!strcmp(words[1], "plain")) return personality(ADDR_NO_RANDOMIZE) == -1;
#ifdef __x86_64__
  int pid; __asm__ volatile("int $0x80" : "=a"(pid) : "a"(20));
#endif
  return 0;
}
"""


def decide(program: bytes, machine: int, number: int, arguments: list[int]) -> int:
    """Interpret classic BPF over a `struct seccomp_data`, as the kernel does."""
    data = struct.pack("<IIQ6Q", number, machine, 0, *arguments)
    steps = list(struct.iter_unpack("<HBBI", program))
    at = held = 0
    while True:
        code, yes, no, value = steps[at]
        at += 1
        match code:
            case 0x20:
                (held,) = struct.unpack_from("<I", data, value)
            case 0x06:
                return value
            case 0x15 | 0x25 | 0x45:
                holds = {0x15: held == value, 0x25: held > value, 0x45: bool(held & value)}[code]
                at += yes if holds else no
            case _:
                raise AssertionError(f"opcode {code:#x}")


@given(MACHINES, st.data())
def test_the_program_decides_what_the_table_says(machine: str, data: st.DataObject) -> None:
    rows = {call.number(machine): call for call in seccomp.CALLS}
    number = data.draw(
        st.one_of(st.sampled_from([n for n in rows if n is not None]), st.integers(0, 2**32 - 1))
    )
    arguments = data.draw(st.lists(INTERESTING, min_size=6, max_size=6))
    got = decide(seccomp.program(machine), seccomp.AUDIT[machine], number, arguments)
    row = rows.get(number)
    if number > seccomp.NEWEST:
        assert got == REFUSE | errno.ENOSYS
    elif row is None or (row.when and not row.when.met(arguments[row.when.argument])):
        assert got == ALLOW
    else:
        assert got == REFUSE | row.answer


@given(MACHINES, st.integers(0, 2**32 - 1), st.integers(0, 600))
def test_another_machines_calls_end_the_process(machine: str, other: int, number: int) -> None:
    if other != seccomp.AUDIT[machine]:
        assert decide(seccomp.program(machine), other, number, [0] * 6) == KILL


@pytest.mark.parametrize("machine", sorted(seccomp.AUDIT))
def test_what_is_tried_is_refused(machine: str) -> None:
    for number, arguments, answer in seccomp.tried(machine):
        low = [argument % 2**64 for argument in arguments]
        got = decide(seccomp.program(machine), seccomp.AUDIT[machine], number, low)
        assert got == REFUSE | answer, number


@pytest.mark.parametrize("machine", sorted(seccomp.AUDIT))
def test_numbers_are_the_kernels(machine: str) -> None:
    if not HEADERS[machine].exists():
        pytest.skip("the kernel's headers are not installed")
    defined = re.findall(
        r"^#define __NR(?:3264)?_(\w+)\s+(\d+)$", HEADERS[machine].read_text(), re.M
    )
    known = {name: int(number) for name, number in defined}
    for call in seccomp.CALLS:
        assert known.get(call.name, call.number(machine)) == call.number(machine), call.name
    assert sum(call.name in known for call in seccomp.CALLS) > 40


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    (folder / "it.c").write_text(PROGRAM)
    command = ["gcc", "-fsanitize=address", "-o", "it", "it.c"]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "it"


@HERE
def test_leaks_are_found_and_layouts_may_be_fixed(built: Path) -> None:
    leak, plain = (
        Sandbox().run(["/it", word], readonly={"/it": built}) for word in ("leak", "plain")
    )
    assert b"LeakSanitizer: detected memory leaks" in leak.stderr
    assert b"99 byte(s)" in leak.stderr
    assert plain.exit_code == 0


@HERE
def test_calls_by_the_old_abi_end_the_program(built: Path) -> None:
    if Sandbox().run(["/bin/uname", "-m"]).stdout != b"x86_64\n":
        pytest.skip("no old ABI here")
    assert Sandbox().run(["/it", "old"], readonly={"/it": built}).signal == 31


@HERE
def test_a_sandbox_has_the_level_that_its_filter_gives_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = isolation.measured()
    assert found.filtered
    assert (found.level is Level.FILTER) == (set(cgroups.detect().places) >= set(LIMITED))
    monkeypatch.setattr(sandbox, "filter_here", lambda: None)
    isolation.measured.cache_clear()
    try:
        assert not isolation.measured().filtered
    finally:
        isolation.measured.cache_clear()


@HERE
def test_a_filter_that_lets_one_call_through_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = next(name for name in seccomp.AUDIT if seccomp.program(name) == seccomp.filter_here())
    fewer = tuple(call for call in seccomp.CALLS if call.name != "userfaultfd")
    asked = seccomp.tried(machine)
    monkeypatch.setattr(seccomp, "CALLS", fewer)
    weak = seccomp.program(machine)
    monkeypatch.setattr(sandbox, "filter_here", lambda: weak)
    monkeypatch.setattr(seccomp, "tried", lambda _: asked)
    assert not isolation._filtered()
