"""Real flaws as items: a driver, and two releases of a package that the user's own index serves."""

import io
import tarfile

import pytest

from vedette.bench.suites import find_suite
from vedette.kernel.errors import MissingPart
from vedette.runner.certify import certify
from vedette.runner.harness import Harness
from vedette.runner.sdist import unpack_sources

pytestmark = pytest.mark.any_database


def test_sources_of_a_release_stay_in_their_folder(tmp_path):
    names = {
        "p-1/src/a.c": b"int a;",
        "p-1/../../evil.c": b"x",
        "/etc/evil.c": b"x",
        "p-1/README": b"x",
        "p-1/large.h": b"x" * (1024 * 1024 + 1),
        "b.py": b"x",
    }
    sdist = tmp_path / "p-1.tar.gz"
    with tarfile.open(sdist, "w:gz") as archive:
        for name, content in names.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        link = tarfile.TarInfo("p-1/link.c")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    unpack_sources(sdist, tmp_path / "view" / "release")
    found = {str(p.relative_to(tmp_path / "view")) for p in tmp_path.rglob("*.[ch]")}
    assert found == {"release/src/a.c", "release/etc/evil.c"}
    assert not list(tmp_path.rglob("*.py"))


@pytest.mark.long
def test_the_releases_certify(builds, tmp_path):
    suite = find_suite("releases")
    try:
        found = certify(suite, cache_dir=builds, resist=20, chance=20)
    except MissingPart as missing:
        pytest.skip(str(missing))
    assert [(c.item, c.problems) for c in found if not c.holds] == []
    view = Harness(suite, builds).lay_out("bsonjs", tmp_path)
    assert (view / "release" / "src" / "bsonjs.c").is_file()
    assert not (view / "program").exists()
