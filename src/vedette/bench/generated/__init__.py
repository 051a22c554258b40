"""Suites that renew themselves: toy daemons written anew for every seed, each with a planted bug.

A generated suite is a suite folder like any other. The same seed writes the same bytes; another
seed gives other names, numbers, greetings and sizes, so that what was learnt by heart from one
suite does not solve the next. How hard an item is, is set by knobs, not by chance.
"""
