"""Applies a patch, JSON on standard input, with the C part of bsdiff4, and prints the result."""

import json
import sys

import core

try:
    given = json.loads(sys.stdin.buffer.read(65536))
    old, diff, extra = (given[name].encode("latin-1") for name in ("old", "diff", "extra"))
    control = [tuple(map(int, step)) for step in given["control"]]
    print(core.patch(old, int(given["length"]), control, diff, extra).hex())
except (ValueError, TypeError, KeyError, AttributeError, OverflowError, MemoryError):
    print("fault: not taken")
