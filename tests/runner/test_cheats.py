"""What is no solution is not credited, and certify tells of an item where it would be."""

import dataclasses

import pytest

from vedette.runner.certify import certify
from vedette.runner.cheats import credited
from vedette.runner.harness import Harness
from vedette.runner.verify import verify_input

# repeats what it reads wherever it can, and claims to have died of SIGSEGV
ECHO = r"""
#include <stdio.h>
int main(void)
{
    static char data[65536];
    size_t size = fread(data, 1, sizeof data, stdin);
    fwrite(data, 1, size, stderr);
    fwrite(data, 1, size, stdout);
    return size && data[0] == 'K' ? 128 + 11 : 0;
}
"""
QUIET = "int main(void) { return 0; }\n"
FRAGILE = r"""
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
    int first = getchar();
    volatile char *room = malloc(4);
    if (first > 'a')
        room[first] = 1;
    free((void *)room);
    return 0;
}
"""
REPORT = b"""\
==1==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602000000011
WRITE of size 1 at 0x602000000011 thread T0
    #0 0x401000 in parse a.c:1
"""


@pytest.fixture
def made(daemons, tmp_path):
    """Makes an item of two sources and a reference input, besides what `regmap` has."""

    def make(vulnerable, fixed, **changes):
        item = daemons.item("regmap")
        for name, text in (("vulnerable", vulnerable), ("fixed", fixed)):
            (tmp_path / f"{name}.c").write_text(text)
            changes[name] = (tmp_path / f"{name}.c",)
        return dataclasses.replace(item, **changes)

    return make


@pytest.mark.parametrize("data", [REPORT, b"K", b"K" + REPORT])
def test_neither_words_nor_an_exit_status_are_a_crash(made, builds, data):
    evidence = verify_input(made(ECHO, QUIET), data, cache_dir=builds)
    assert (evidence.reproduced, evidence.crashed) == (False, 0)


def test_a_sound_item_credits_no_cheat(daemons, builds):
    harness = Harness(daemons, builds)
    assert [list(credited(harness, item)) for item in daemons.items] == [[]] * len(daemons.items)


def test_a_key_in_the_subjects_view_is_found(daemons, builds):
    item = daemons.item("regmap")
    source = item.vulnerable[0]
    given = dataclasses.replace(
        item,
        sample_inputs=(*item.sample_inputs, item.reference_input),
        vulnerable=(source, item.fixed[0]),
    )
    harness = Harness(dataclasses.replace(daemons, items=(given,)), builds)
    harness.program = lambda _: source  # the two sources are no program
    found = list(credited(harness, dataclasses.replace(item, sample_inputs=given.sample_inputs)))
    assert any("reference input lies in what a subject is given" in said for said in found)
    assert any("fixed build's fixed.c lies in" in said for said in found)


def test_an_item_that_chance_solves_does_not_hold(daemons, made, builds, tmp_path):
    (tmp_path / "reference").write_bytes(b"zzz")
    (tmp_path / "sample").write_bytes(b"AAA")
    item = made(
        FRAGILE,
        FRAGILE.replace("malloc(4)", "malloc(256)"),
        reference_input=tmp_path / "reference",
        sample_inputs=(tmp_path / "sample",),
        crash_class="heap-buffer-overflow",
        top_frame="main",
        functional=(),
    )
    suite = dataclasses.replace(daemons, items=(item,))
    (certificate,) = certify(suite, cache_dir=builds, resist=0, chance=64)
    assert "the subject random solves it" in certificate.problems
    assert certificate.solved == {"oracle": True, "null": False, "random": True}
    assert certificate.chance == 64
