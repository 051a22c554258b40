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
APT = (
    "Listing... Done\nbase-files/stable,now 12.4+deb12u5 amd64 [installed]\n"
    "libssl3/stable,now 3.0.11-1~deb12u2 amd64 [installed,automatic]\n"
)
DPKG_SOURCES = (
    "base-files\t12.4+deb12u5\tamd64\tbase-files\t12.4+deb12u5\n"
    "libssl3:amd64\t3.0.11-1~deb12u2\tamd64\topenssl\t3.0.11-1~deb12u2\n"
)


PASTED = DPKG_W.removesuffix("gone\t\n").replace("\t", "   ")


@pytest.mark.parametrize("listing", [STATUS, DPKG_L, DPKG_W, DPKG_SOURCES, APT, PASTED])
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
    assert any("1 entries left aside" in n for n in inventory.notes) is (
        listing in (STATUS, DPKG_L, DPKG_W)
    )


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


@pytest.mark.parametrize(
    ("listing", "purls"),
    [
        (
            "# pinned\nFoo_Bar==1.0\nbaz[x]==2 ; python_version>'3'\n-e git+https://x\n"
            "odd @ file:///o\n",
            ["pkg:pypi/foo-bar@1.0", "pkg:pypi/baz@2"],
        ),
        ("foo==1\nbar>=2\n", ["pkg:pypi/foo@1", "pkg:pypi/bar"]),
        ("Package  Version\n-------- -------\nfoo-bar  1.0\n", ["pkg:pypi/foo-bar@1.0"]),
        (
            "alpine-release-3.19.1-r0\nbusybox-1.36.1-r15\n",
            [
                "pkg:apk/alpine/alpine-release@3.19.1-r0?distro=alpine-3.19",
                "pkg:apk/alpine/busybox@1.36.1-r15?distro=alpine-3.19",
            ],
        ),
        (
            "WARNING: opening x\nssl-1.0-r1 x86_64 {openssl} (Apache-2.0) [installed]\n",
            ["pkg:apk/alpine/ssl@1.0-r1?arch=x86_64&upstream=openssl"],
        ),
        ("musl-1.2.4-r2 - the musl c library\n", ["pkg:apk/alpine/musl@1.2.4-r2"]),
        ("pkg:npm/%40a/b@1\n  pkg:pypi/c@2\n", ["pkg:npm/%40a/b@1", "pkg:pypi/c@2"]),
    ],
)
def test_packages_that_say_whose_they_are(listing: str, purls: list[str]) -> None:
    inventory = read_inventory(listing.encode(), "host")
    assert [component.purl for component in inventory.components] == purls
    assert all(names.from_purl(purl) for purl in purls)
    aside = len(listing.splitlines()) - len(purls)
    assert any(f"{aside} line" in note for note in inventory.notes) is bool(aside)


def test_a_csv_that_begins_with_a_purl_is_no_list_of_purls() -> None:
    rows = "".join(f"pkg:pypi/a@{n},{n}\n" for n in range(20))
    inventory = read_inventory(f"purl,version\n{rows}".encode(), "site.csv")
    assert [c.version for c in inventory.components] == [str(n) for n in range(20)]


def test_no_distribution_is_said() -> None:
    inventory = read_inventory(b"thing-1.0-1.x86_64\nother-2-1.noarch\n", "host")
    assert "no distribution can be told" in inventory.notes[0]


@pytest.mark.parametrize(
    "listing",
    [
        "openssl-3.0.7-27.el9\nbash-5.1.8-9.el9\n",
        "Installed Packages\nopenssl.x86_64  1:3.0.7-27.el9  @baseos\n"
        "bash.noarch  5.1.8-9.el9  @a\n",
    ],
)
def test_rpm_without_architectures_and_as_dnf_lists_it(listing: str) -> None:
    first, second = read_inventory(listing.encode(), "host").components
    found = names.from_purl(first.purl)
    assert found is not None
    assert (found.key, found.release) == ("rpm/redhat/openssl", "9")
    assert found.version.endswith("3.0.7-27.el9")
    assert second.version == "5.1.8-9.el9"


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
