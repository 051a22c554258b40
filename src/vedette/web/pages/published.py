"""Where records of public databases can be read, by their ids alone.

Nothing is fetched; the reader's browser goes there, and tells the place nothing of this instance.
"""

from __future__ import annotations

import re

from vedette.web.cells import Link

_PLACES = (
    (r"CVE-[0-9]{4}-[0-9]{4,19}", "https://www.cve.org/CVERecord?id={}"),
    (r"GHSA(?:-[0-9a-z]{4}){3}", "https://github.com/advisories/{}"),
    (r"ICSA(?:-[0-9]{2,3}){3}", "https://www.cisa.gov/news-events/ics-advisories/{}"),
    (r"ICSMA(?:-[0-9]{2,3}){3}", "https://www.cisa.gov/news-events/ics-medical-advisories/{}"),
    (r"(?:GO|MAL|OSV|PYSEC|RUSTSEC)-[0-9]{4}-[0-9]{1,9}", "https://osv.dev/vulnerability/{}"),
)
_READ = [(re.compile(pattern), place) for pattern, place in _PLACES]


def record(identifier: str) -> Link | str:
    """A record's id, leading to where it is published if that is known."""
    for pattern, place in _READ:
        if pattern.fullmatch(identifier):
            named = identifier.lower() if identifier.startswith("ICS") else identifier
            return Link(identifier, place.format(named))
    return identifier
