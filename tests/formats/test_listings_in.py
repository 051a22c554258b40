"""Package listings as dpkg and rpm print them, known by their content."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.formats import listings_in
from vedette.formats.detect import read_inventory
from vedette.matching import names

STATUS = """Package: base-files
Status: install ok installed
Architecture: amd64
Version: 12.4+deb12u5

Package: libssl3
Status: install ok installed
Architecture: amd64
Source: openssl (3.0.11-1~deb12u2)
Version: 3.0.11-1~deb12u2
Description: library
 with a Package: word

Package: gone
Status: deinstall ok config-files
Version: 1
"""
DPKG_L = """Desired=Unknown/Install/Remove/Purge/Hold
| Status=Not/Inst/Conf-files/Unpacked/halF-conf/Half-inst/trig-aWait/Trig-pend
|/ Err?=(none)/Reinst-required (Status,Err: uppercase=bad)
||/ Name           Version            Architecture Description
+++-==============-==================-============-=================================
ii  base-files     12.4+deb12u5       amd64        Debian base system
hi  libssl3:amd64  3.0.11-1~deb12u2   amd64        Secure Sockets Layer toolkit
rc  gone           1                  amd64        removed
"""
DPKG_W = "base-files\t12.4+deb12u5\nlibssl3:amd64\t3.0.11-1~deb12u2\ngone\t\n"
DPKG_SOURCES = (
    "base-files\t12.4+deb12u5\tamd64\tbase-files\t12.4+deb12u5\n"
    "libssl3:amd64\t3.0.11-1~deb12u2\tamd64\topenssl\t3.0.11-1~deb12u2\n"
)


@pytest.mark.parametrize("listing", [STATUS, DPKG_L, DPKG_W, DPKG_SOURCES])
def test_dpkg(listing: str) -> None:
    inventory = read_inventory(listing.encode(), "host")
    found = {c.name: c for c in inventory.components}
    assert set(found) == {"base-files", "libssl3"}
    package = names.from_purl(found["libssl3"].purl)
    assert package is not None
    assert (package.key, package.version) == ("deb/debian/libssl3", "3.0.11-1~deb12u2")
    assert package.release == "12"
    by_source = listing in (STATUS, DPKG_SOURCES)
    assert (package.source_key == "deb/debian/openssl") is by_source
    assert inventory.notes[0].startswith("taken for Debian 12,")
    assert any("source packages" in note for note in inventory.notes) is not by_source
    assert any("1 entries left aside" in n for n in inventory.notes) is (listing != DPKG_SOURCES)


def test_ubuntu_is_told_from_the_packages() -> None:
    listing = "base-files\t12ubuntu4.6\nbash\t5.1-6ubuntu1\nsudo\t1.9.9-1ubuntu2.22.04.1\n"
    (_, bash, _) = read_inventory(listing.encode(), "host").components
    assert bash.purl == "pkg:deb/ubuntu/bash@5.1-6ubuntu1?distro=ubuntu-22.04"


PLAIN = """bash-5.1.8-6.el9_1.x86_64
openssl-libs-3.0.7-24.el9.x86_64
gpg-pubkey-fd431d51-4ae0493b
"""
LAST = """bash-5.1.8-6.el9_1.x86_64                     Tue 10 Jan 2023 09:00:00 AM UTC
openssl-libs-3.0.7-24.el9.x86_64              Tue 10 Jan 2023 09:00:01 AM UTC
"""
COLUMNS = "bash (none) 5.1.8 6.el9_1 x86_64\nopenssl-libs 1 3.0.7 24.el9 x86_64\n"
PIPED = "bash|5.1.8-6.el9_1|x86_64\nopenssl-libs|1:3.0.7-24.el9|x86_64\n"
NEVRA = "bash-0:5.1.8-6.el9_1.x86_64\nopenssl-libs-1:3.0.7-24.el9.x86_64\n"


@pytest.mark.parametrize(
    ("listing", "epoch"), [(PLAIN, ""), (LAST, ""), (COLUMNS, "1:"), (PIPED, "1:"), (NEVRA, "1:")]
)
def test_rpm(listing: str, epoch: str) -> None:
    inventory = read_inventory(listing.encode(), "host")
    bash, openssl = inventory.components
    assert (bash.name, bash.version) == ("bash", "5.1.8-6.el9_1")
    package = names.from_purl(openssl.purl)
    assert package is not None
    assert (package.key, package.release) == ("rpm/redhat/openssl-libs", "9")
    assert package.version == openssl.version == f"{epoch}3.0.7-24.el9"
    assert inventory.notes[0].startswith("taken for rhel-9,")


@pytest.mark.parametrize(
    ("line", "key", "release"),
    [
        ("rocky-release-9.3-1.3.el9.noarch", "rpm/rocky/rocky-release", "9"),
        ("almalinux-release-8.9-1.el8.x86_64", "rpm/almalinux/almalinux-release", "8"),
        ("bash-5.2-1.oe2203.x86_64", "rpm/openeuler/bash", "22.03"),
        ("bash-4.4-150400.25.22.x86_64", "rpm/suse/bash", "15.4"),
        ("bash-4.4-lp155.1.2.x86_64", "rpm/opensuse/bash", "15.5"),
    ],
)
def test_the_distribution_is_told_from_releases(line: str, key: str, release: str) -> None:
    (component,) = read_inventory(line.encode(), "host").components
    package = names.from_purl(component.purl)
    assert package is not None
    assert (package.key, package.release) == (key, release)


def test_no_distribution_is_said() -> None:
    inventory = read_inventory(b"thing-1.0-1.x86_64\nother-2-1.noarch\n", "host")
    assert "no distribution can be told" in inventory.notes[0]


def test_a_tabbed_asset_list_is_no_listing() -> None:
    inventory = read_inventory(b"vendor\tproduct\nsiemens\tx204\n", "site.tsv")
    assert inventory.components[0].product == "x204"


@given(
    st.text(max_size=300)
    | st.lists(st.sampled_from([*STATUS.split(), *PIPED.split()])).map(" ".join)
)
def test_no_text_breaks_the_reader(text: str) -> None:
    inventory = listings_in.read(text, "host")
    assert inventory is None or all(component.id for component in inventory.components)
