"""Writes a value with an indent, both JSON on standard input, with ujson."""

import json
import sys

import ujson

try:
    given = json.loads(sys.stdin.buffer.read(65536))
    print(ujson.dumps(given["value"], indent=int(given["indent"])))
except (ValueError, TypeError, KeyError, OverflowError, MemoryError):
    print("fault: not taken")
