"""Hands a BSON document from standard input to bsonjs, and prints the names of its fields."""

import json
import sys

import bsonjs

try:
    print(*json.loads(bsonjs.dumps(sys.stdin.buffer.read(65536))))
except ValueError:
    print("fault: not taken")
