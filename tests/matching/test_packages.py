"""Package identity: every OSV ecosystem and its purl type meet in one key, releases and all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.matching.build import inventory, osv

from vedette.formats import osv_in
from vedette.matching import names, versions
from vedette.matching.engine import match
from vedette.matching.model import Component, Inventory

SAME = [
    ("AlmaLinux:8", "curl", "pkg:rpm/almalinux/curl@1"),
    ("AlmaLinux:8", "curl", "pkg:rpm/alma/curl@1"),
    ("Alpine:v3.18", "curl", "pkg:apk/alpine/curl@1"),
    ("Azure Linux:3", "curl", "pkg:rpm/azurelinux/curl@1"),
    ("Bioconductor", "limma", "pkg:bioconductor/limma@1"),
    ("Bitnami", "redis", "pkg:bitnami/redis@1"),
    ("CRAN", "Rcpp", "pkg:cran/Rcpp@1"),
    ("ConanCenter", "zlib", "pkg:conan/zlib@1"),
    ("Debian:12", "curl", "pkg:deb/debian/curl@1"),
    ("GitHub Actions", "Actions/Checkout", "pkg:github/actions/checkout@v1"),
    ("Go", "github.com/Foo/bar", "pkg:golang/github.com/foo/bar@v1.0.0"),
    ("Hackage", "aeson", "pkg:hackage/aeson@1"),
    ("Hex", "phoenix", "pkg:hex/phoenix@1"),
    ("Julia", "HTTP", "pkg:julia/HTTP@1?uuid=cd3eb016-35fb-5094-929b-558a96fad6f3"),
    ("Maven", "org.example:lib", "pkg:maven/org.example/lib@1"),
    ("NuGet", "Newtonsoft.Json", "pkg:nuget/newtonsoft.json@1"),
    ("OSS-Fuzz", "zstd", "pkg:generic/zstd@1"),
    ("Packagist", "Symfony/Http-Kernel", "pkg:composer/symfony/http-kernel@1"),
    ("Pub", "http", "pkg:pub/http@1"),
    ("PyPI", "Ruamel_YAML", "pkg:pypi/ruamel.yaml@1"),
    ("Red Hat:enterprise_linux:8::baseos", "curl", "pkg:rpm/rhel/curl@1"),
    ("Red Hat:rhel_eus:8.4::appstream", "curl", "pkg:rpm/redhat/curl@1"),
    ("Rocky Linux:9", "curl", "pkg:rpm/rocky-linux/curl@1"),
    ("RubyGems", "rails", "pkg:gem/rails@1"),
    ("SUSE:Linux Enterprise Server 15 SP4", "curl", "pkg:rpm/sles/curl@1"),
    ("SwiftURL", "github.com/a/b", "pkg:swift/github.com/a/b@1"),
    ("SwiftURL", "https://github.com/A/b.git", "pkg:swift/github.com/a/b@1"),
    ("Ubuntu:22.04:LTS", "curl", "pkg:deb/ubuntu/curl@1"),
    ("Wolfi", "curl", "pkg:apk/wolfi/curl@1"),
    ("crates.io", "serde", "pkg:cargo/serde@1"),
    ("npm", "@scope/name", "pkg:npm/%40scope/name@1"),
    ("npm", "JSONStream", "pkg:npm/jsonstream@1"),
    ("openEuler:22.03-LTS-SP1", "curl", "pkg:rpm/openeuler/curl@1"),
    ("openSUSE:Leap 15.4", "curl", "pkg:rpm/opensuse/curl@1"),
    ("openSUSE:Leap 15.4", "curl", "pkg:rpm/opensuse-leap/curl@1"),
]


@pytest.mark.parametrize(("ecosystem", "name", "purl"), SAME)
def test_ecosystem_and_purl_are_one_package_with_an_order(
    ecosystem: str, name: str, purl: str
) -> None:
    stated, held = names.from_ecosystem(ecosystem, name), names.from_purl(purl)
    assert held is not None
    assert stated.key == held.key
    assert stated.scheme in versions.SCHEMES


@pytest.mark.parametrize(
    ("ecosystem", "release"),
    [
        ("Alpine:v3.18", "3.18"),
        ("Alpine:edge", "edge"),
        ("Debian", ""),
        ("Debian:12", "12"),
        ("Red Hat:enterprise_linux:8::baseos", "8"),
        ("Red Hat:rhel_eus:8.4::appstream", "8.4"),
        ("Red Hat:openshift:4.12::el8", "8"),
        ("SUSE:Linux Enterprise Server 15 SP4", "15.4"),
        ("Ubuntu:22.04:LTS", "22.04"),
        ("Ubuntu:Pro:18.04:LTS", "18.04"),
        ("openEuler:22.03-LTS-SP1", "22.03.1"),
        ("openSUSE:Leap 15.4", "15.4"),
        ("openSUSE:Tumbleweed", "tumbleweed"),
        ("PyPI:12", ""),
    ],
)
def test_releases_are_read_from_ecosystems(ecosystem: str, release: str) -> None:
    assert names.from_ecosystem(ecosystem, "curl").release == release


@pytest.mark.parametrize(
    ("ecosystem", "purl", "confidence"),
    [
        ("Alpine:v3.18", "pkg:apk/alpine/curl@1.0-r0?distro=alpine-3.18.4", "exact"),
        ("Alpine:v3.18", "pkg:apk/alpine/curl@1.0-r0?distro=3.19.1", None),
        ("Alpine:v3.1", "pkg:apk/alpine/curl@1.0-r0?distro=alpine-3.18", None),
        ("Debian:12", "pkg:deb/debian/curl@1.0-1?distro=debian-bookworm", "exact"),
        ("Ubuntu:22.04:LTS", "pkg:deb/ubuntu/curl@1.0-1?distro=jammy", "exact"),
        ("Debian:8", "pkg:deb/debian/curl@1.0-1?distro=jessie", "exact"),
        ("Ubuntu:16.04:LTS", "pkg:deb/ubuntu/curl@1.0-1?distro=ubuntu-xenial", "exact"),
        ("Ubuntu:20.04:LTS", "pkg:deb/ubuntu/curl@1.0-1?distro=ubuntu-22.04", None),
        (
            "openSUSE:Tumbleweed",
            "pkg:rpm/opensuse-tumbleweed/curl@1.0-1?distro=opensuse-tumbleweed-20240101",
            "exact",
        ),
        ("Rocky Linux:8", "pkg:rpm/rocky/curl@1.0-1?distro=rocky-8.7", "exact"),
        ("Red Hat:rhel_eus:8.4::baseos", "pkg:rpm/redhat/curl@1.0-1?distro=rhel-8.6", None),
        ("Red Hat:rhel_eus:8.4::baseos", "pkg:rpm/redhat/curl@1.0-1?distro=rhel-8", "likely"),
        ("Red Hat:rhel_eus:8.4::baseos", "pkg:rpm/redhat/curl@1.0-1", "likely"),
    ],
)
def test_point_releases_belong_to_their_release(
    ecosystem: str, purl: str, confidence: str | None
) -> None:
    advisory = osv("A", "curl", [{"introduced": "0"}, {"fixed": "2.0-1"}], ecosystem=ecosystem)
    if ecosystem.startswith("Alpine"):
        advisory = osv("A", "curl", [{"introduced": "0"}, {"fixed": "2.0-r1"}], ecosystem=ecosystem)
    lines = list(match([inventory(purl)], [advisory]))
    assert [line.confidence for line in lines] == ([confidence] if confidence else [])


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("curl-7.61-29.src.rpm", True),
        ("curl-7.61-30.src.rpm", False),
        ("my-curl-7.61-29.src.rpm", False),
        ("curl", False),
    ],
)
def test_an_rpm_is_found_by_its_source_package(source: str, found: bool) -> None:
    events = [{"introduced": "0"}, {"fixed": "1:7.61-30"}]
    advisory = osv("A", "curl", events, ecosystem="SUSE:Linux Enterprise Server 15 SP4")
    purl = f"pkg:rpm/sles/libcurl4@7.61-31?epoch=1&upstream={source}&distro=sles-15.4"
    lines = list(match([inventory(purl)], [advisory]))
    assert [line.confidence for line in lines] == (["exact"] if found else [])


def test_a_debian_epoch_may_stand_in_a_qualifier() -> None:
    events = [{"introduced": "0"}, {"fixed": "1:4.8-2"}]
    advisory = osv("A", "login", events, ecosystem="Debian:12")
    purl = "pkg:deb/debian/login@4.8-{}?distro=debian-12&epoch=1"
    found = [bool(list(match([inventory(purl.format(n))], [advisory]))) for n in (1, 2)]
    assert found == [True, False]


def test_a_package_of_an_unknown_ecosystem_is_found_by_its_purl() -> None:
    package = {"ecosystem": "Elsewhere", "name": "zlib", "purl": "pkg:generic/zlib"}
    affected = [{"package": package, "versions": ["1.2"]}]
    record = {"id": "A", "modified": "2026-01-01T00:00:00Z", "affected": affected}
    held = inventory("pkg:generic/zlib@1.2")
    assert [m.verdict for m in match([held], [osv_in.read(record, "A")])] == ["affected"]


@pytest.mark.parametrize(
    ("purl", "found"),
    [
        ("pkg:rpm/redhat/curl@7.61-30?epoch=1", False),
        ("pkg:rpm/redhat/curl@7.61-30?epoch=0", True),
        ("pkg:rpm/redhat/curl@7.61-30", True),
    ],
)
def test_an_rpm_epoch_stands_in_a_qualifier(purl: str, found: bool) -> None:
    events = [{"introduced": "0"}, {"fixed": "1:7.61-30"}]
    advisory = osv("A", "curl", events, ecosystem="Red Hat:enterprise_linux:8::baseos")
    stated = Inventory("i", (Component("c", version="7.61-30", purl=purl),))
    for held in (inventory(purl), stated):
        assert bool(list(match([held], [advisory]))) == found


@given(
    st.sampled_from(["pypi", "npm", "golang", "maven", "deb", "rpm"]),
    st.lists(st.text("aB1._-", min_size=1, max_size=4), min_size=1, max_size=3),
    st.text("1a.+!~-", min_size=1, max_size=6),
)
def test_a_purl_reads_the_same_with_and_without_escapes(
    kind: str, path: list[str], version: str
) -> None:
    plain = f"pkg:{kind}/{'/'.join(path)}@{version}"
    escaped = f"pkg:{kind}/{'/'.join(path)}@" + "".join(f"%{ord(c):02X}" for c in version)
    assert names.from_purl(plain) == names.from_purl(escaped)
