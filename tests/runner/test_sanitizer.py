"""Reports of sanitizers are read for class, access, frames and the program's own top frame."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.runner.sanitizer import parse_report

OVERFLOW = b"""noise before
=================================================================
==15==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x60c0 at pc 0x55 bp 0x7f sp 0x7f
WRITE of size 60 at 0x60c0000000c0 thread T0
    #0 0x7f8d5b648060 in __interceptor_memcpy ../../../../src/libsanitizer/x/y.inc:827
    #1 0x55b21d9c4818 in take_feeder(char const*, int) telemetry/vulnerable.c:85:3
    #2 0x55b21d9c4819 (/opt/lib/module.so+0x2fe1) (BuildId: 00ff)
    #3 0x55b21d9c4820 in main /src/vulnerable.c:9

0x60c0 is located 0 bytes inside of 320-byte region
freed by thread T0 here:
    #0 0x7f2288ab76a8 in somebody_else elsewhere.c:52
SUMMARY: AddressSanitizer: heap-buffer-overflow
"""
SEGV = b"""AddressSanitizer:DEADLYSIGNAL
==25668==ERROR: AddressSanitizer: SEGV on unknown address 0x615000010070 (pc 0x7f)
==25668==The signal is caused by a WRITE memory access.
    #0 0x7f5a0ef8b893 in __memmove_avx512_unaligned_erms ../sysdeps/x86_64/memmove.S:364
    #1 0x55a13abd1b1a in write_image settings/vulnerable.c:99
"""
STRIPPED = b"""==3==ERROR: AddressSanitizer: stack-buffer-overflow on address 0x7ffd at pc 0x7f
WRITE of size 1 at 0x7ffd22c7a9c0 thread T0
    #0 0x7f1a39c0eac5  (/site/ujson.cpython-311-x86_64-linux-gnu.so+0xeac5)
"""
ABORTED = b"""==9==ERROR: AddressSanitizer: ABRT on unknown address 0x000000000009 (pc 0x7f)
    #0 0x7f5a0ef8b893 in __pthread_kill_implementation nptl/pthread_kill.c:44
    #1 0x7f5a0ef8b894 in gsignal ../sysdeps/posix/raise.c:26
    #2 0x7f5a0ef8b895 in abort stdlib/abort.c:79
    #3 0x55a13abd1b1a in check_pin /src/vulnerable.c:99
"""
UNDEFINED = b"vulnerable.c:12:9: runtime error: signed integer overflow: 1 + 2147483647\n"


def test_an_abort_shows_where_the_program_gave_up():
    crash = parse_report(ABORTED)
    assert (crash.kind, crash.top_frame) == ("ABRT", "check_pin")


def test_class_access_and_the_programs_own_frames():
    crash = parse_report(OVERFLOW)
    assert crash.kind == "heap-buffer-overflow"
    assert crash.access == "WRITE of size 60"
    assert crash.top_frame == "take_feeder(char const*, int)"
    assert crash.stack == ("take_feeder(char const*, int)", "module.so+0x2fe1", "main")
    assert len(crash.frames) == 4
    assert (crash.frames[1].file, crash.frames[1].line) == ("telemetry/vulnerable.c", 85)


def test_a_wild_access_is_told_with_its_direction():
    crash = parse_report(SEGV, 11)
    assert (crash.kind, crash.access, crash.top_frame) == ("SEGV", "WRITE", "write_image")


def test_without_symbols_module_and_offset_stand_for_the_function():
    crash = parse_report(STRIPPED)
    assert crash.top_frame == "ujson.cpython-311-x86_64-linux-gnu.so+0xeac5"
    assert crash.frames[0].offset == 0xEAC5


def test_undefined_behaviour_is_a_crash_of_its_line():
    crash = parse_report(UNDEFINED)
    assert crash.kind == "undefined-behaviour"
    assert crash.frames[0].line == 12


def test_a_fatal_signal_without_a_report_is_a_crash_without_a_stack():
    crash = parse_report(b"", 11)
    assert (crash.kind, crash.stack, crash.top_frame) == ("SIGSEGV", (), "")


@pytest.mark.parametrize(("stderr", "signal"), [(b"", None), (b"", 9), (b"error: no such", None)])
def test_no_crash(stderr, signal):
    assert parse_report(stderr, signal) is None


@pytest.mark.parametrize("name", ["free_list", "memcpy_checked", "abort_job", "raised", "strdup2"])
def test_names_that_only_begin_like_the_librarys_are_the_programs(name):
    report = OVERFLOW.replace(b"take_feeder(char const*, int)", name.encode())
    assert parse_report(report).top_frame == name


@given(st.binary(max_size=2000), st.booleans())
def test_any_bytes_are_read_without_failing(data, headed):
    parse_report(OVERFLOW[:120] + data if headed else data)
