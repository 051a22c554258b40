"""Builds happen inside the sandbox, are kept by digest, and their failures are told."""

import pytest

from vedette.kernel.errors import BadInput, MissingPart
from vedette.runner import build as building
from vedette.runner.build import ADDRESS, build_item, build_source, have_clang, run_binary
from vedette.runner.sandbox import Sandbox
from vedette.runner.sdist import _failure


def test_a_build_is_the_same_twice_and_kept(daemons, builds, tmp_path, monkeypatch):
    item = daemons.item("regmap")
    first = build_item(item, "vulnerable", builds)
    assert build_item(item, "vulnerable", tmp_path).digest == first.digest
    monkeypatch.setattr(building, "_compile", lambda *a: pytest.fail("compiled again"))
    assert build_item(item, "vulnerable", builds) == first


def test_a_kept_build_that_was_changed_is_built_anew(daemons, tmp_path):
    item = daemons.item("regmap")
    first = build_item(item, "fixed", tmp_path)
    first.path.write_bytes(b"#!/bin/sh\necho changed\n")
    assert build_item(item, "fixed", tmp_path).digest == first.digest
    assert first.path.read_bytes()[:4] == b"\x7fELF"


def test_builds_are_address_sanitized(daemons, builds):
    assert "-fsanitize=address" in ADDRESS
    item = daemons.item("regmap")
    outcome = run_binary(build_item(item, "vulnerable", builds), item.reference_input.read_bytes())
    assert b"AddressSanitizer: heap-buffer-overflow" in outcome.stderr


@pytest.mark.skipif(not have_clang(), reason="clang is not installed")
def test_a_fuzzer_is_built_where_clang_is(daemons, builds):
    item = daemons.item("regmap")
    fuzzer = build_item(item, "fuzzer", builds)
    assert b"heap-buffer-overflow" in run_fuzzer(fuzzer, item)


def run_fuzzer(fuzzer, item):
    outcome = Sandbox().run(
        ["/fuzzer", "-seed=1", "-runs=1", "/input"],
        readonly={"/fuzzer": fuzzer.path, "/input": item.reference_input},
        timeout=30,
    )
    return outcome.stderr


def test_a_source_that_does_not_compile_is_bad_input_with_the_compilers_word(tmp_path):
    with pytest.raises(BadInput, match=r"delivered\.c: does not compile \(.*error"):
        build_source(b"int main(void) { return nothing; }", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_source_can_not_include_the_hosts_files(tmp_path):
    secret = tmp_path / "secret.h"
    secret.write_text("int main(void) { return 0; }")
    with pytest.raises(BadInput, match="does not compile"):
        build_source(f'#include "{secret}"\n'.encode(), tmp_path / "cache")


def test_a_source_of_any_size_is_not_taken(tmp_path):
    with pytest.raises(BadInput, match="more than"):
        build_source(b" " * (1 << 20) + b"x", tmp_path)


def test_an_index_out_of_reach_and_a_wrong_digest_are_told_apart():
    offline = _failure("ujson", "5.1.0", "ERROR: Could not find a version")
    assert isinstance(offline, MissingPart)
    assert "Could not find a version" in str(offline)
    other = _failure("ujson", "5.1.0", "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES")
    assert isinstance(other, BadInput)
