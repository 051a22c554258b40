"""Codes a name from standard input with the C part of jellyfish."""

import sys

import cjellyfish

name = sys.stdin.buffer.read(65536).decode("latin-1")
if not name.isascii() or not name.isalpha():
    print("fault: not taken")
else:
    print(cjellyfish.nysiis(name))
