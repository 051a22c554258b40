"""A service in Python, and what it acts on: only the second can say that a rule was broken."""

import re

import pytest

from vedette.kernel.errors import BadInput
from vedette.runner.build import build_item, build_source, run_binary
from vedette.runner.repair import verify_repair
from vedette.runner.scaffold import generated_suite
from vedette.runner.verify import crash_of

pytestmark = pytest.mark.any_database

OUTSIDE = b"""
class Outside:
    def put(self, number, text):
        if int(number) > 3:
            return "no more than three"
"""
REPORT = "==1==ERROR: RuleWatch: rule-broken: no more than three\\n    #0 0x0 in serve a.py:1\\n\\n"


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    return generated_suite(tmp_path_factory.mktemp("suites") / "suite", 3)


@pytest.fixture
def run(tmp_path, builds):
    outside = tmp_path / "outside.py"
    outside.write_bytes(OUTSIDE)

    def run(source, data=b""):
        return run_binary(build_source(source.encode(), builds, outside), data)

    return run


def test_a_broken_rule_is_reported_where_the_service_acted(run):
    service = """
def reach(act, number):
    act("put", number, b"x")
    print("put", number)

def serve(data, act):
    for number in data:
        reach(act, number)
    return 0
"""
    kept = run(service, bytes([1, 3]))
    assert kept.exit_code == 0
    assert kept.stdout == b"put 1\nput 3\n> put 31 78\n> put 33 78\n> 2 acts\n"
    crash = crash_of(run(service, bytes([1, 4, 3])))
    assert (crash.kind, crash.access, crash.top_frame) == (
        "rule-broken",
        "no more than three",
        "reach",
    )


@pytest.mark.parametrize(
    "body",
    [
        f"print({REPORT!r})",
        f"import sys; sys.stderr.write({REPORT!r})",
        "raise ValueError('rule-broken')",
        "import os; os.kill(os.getpid(), 6)",
        "import os; os._exit(86)",
    ],
)
def test_nothing_that_a_service_says_or_how_it_ends_is_a_report(run, body):
    outcome = run(f"def serve(data, act):\n    {body}\n    return 0\n")
    assert crash_of(outcome) is None
    assert outcome.stdout.endswith(b"> 0 acts\n")


@pytest.mark.parametrize("source", ["def serve(", "\0", "return 1"])
def test_what_is_no_python_does_not_build(run, source):
    with pytest.raises(BadInput, match="does not compile"):
        run(source)


def test_a_comment_chooses_no_encoding(run):
    with_utf_7 = "# coding: utf-7\n+AGkAbQBwAG8AcgB0- os\ndef serve(data, act): return 0\n"
    assert run(with_utf_7).exit_code == 1


@pytest.mark.parametrize(
    "word",
    ["import os", "exec('')", "a.__class__", "getattr(a, 'b')", "\uff45xec('')", "g.gi_frame"],
)
def test_a_mended_service_reaches_no_further(suite, builds, word):
    item = suite.item("mend-token")
    source = item.fixed[0].read_text() + f"\n# {word}\n"
    found = verify_repair(item, source.encode(), cache_dir=builds)
    assert not found.repaired
    assert re.search("speaks of what looks for harm", found.reason)


def test_a_fuzzer_of_c_has_no_build_of_a_service(suite, builds):
    item = suite.item("token-1")
    with pytest.raises(BadInput, match="libFuzzer"):
        build_item(item, "fuzzer", builds)
