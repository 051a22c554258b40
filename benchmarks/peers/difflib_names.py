"""Assets' names found among advisories' by difflib: `difflib_names.py LIST NAMES COUNT`.

The names alone, no version; the first COUNT assets of LIST (CSV) against the lines of NAMES.
Prints the seconds of CPU.
"""

from __future__ import annotations

import csv
import sys
import time
from difflib import get_close_matches
from pathlib import Path


def main() -> None:
    names = Path(sys.argv[2]).read_text("utf-8").splitlines()
    with Path(sys.argv[1]).open(encoding="utf-8", newline="") as file:
        assets = list(csv.DictReader(file))[: int(sys.argv[3])]
    started = time.process_time()
    for asset in assets:
        get_close_matches(f"{asset['vendor']} {asset['product']} {asset['model']}".strip(), names)
    print(time.process_time() - started)


main()
