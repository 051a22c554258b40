"""CISA's industrial advisories: reading loses nothing, and assets checked by hand meet them."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from vedette.formats import assets_in
from vedette.formats.detect import read_advisory
from vedette.kernel.errors import BadInput
from vedette.matching.engine import match
from vedette.matching.model import Advisory, Component, Inventory

pytestmark = pytest.mark.any_database

CHECKED = """\
vendor,product,model,version,serial
Siemens,SIMATIC S7-1500 CPU 1515-2 PN,6ES7515-2AM02-0AB0,V2.9.4,S7-OLD
Siemens,SIMATIC S7-1500 CPU 1515-2 PN,6ES7515-2AM02-0AB0,V2.9.7,S7-NEW
Siemens,SIMATIC S7-1500 CPU 1515-2 PN,,V2.9.7,S7-NO-ORDER
Rockwell Automation,ControlLogix,1756-EN2TR/C,11.002,EN2TR-C
Rockwell Automation,1756-EN2TR Series C,,11.004,EN2TR-NEW
"Honeywell International, Inc.",HED2PER3,,1.000.HW01.1.20190101,CAMERA
Honeywell,HED2PER3,,1.000.HW00.1.20190101,CAMERA-OTHER
"Moxa Inc.",EDS-510A,,3.8,SWITCH
Moxa,EDS-510A,,3.9,SWITCH-NEW
Weintek,cMT3090,,20210217,PANEL
AzeoTech,DAQFactory,,18.1,DAQ
AzeoTech,DAQFactory,,18.1 Build 2346,DAQ-OLD
Hitachi Energy,UNEM,,R15A,UNEM
Teltonika,RUT model routers,,00.07.01,CLASS
PEPPERL+FUCHS,WHA-GW-*,,1.0,SERIES
AGG Software,Web Server,,4.0,ANYBODY
Mitsubishi Electric,FX5U-32MT/ES,,1.100,FORMULA
Siemens,SINAMICS G120 w. PN,,V4.7,THREE
"""
# asset, advisory, verdict and confidence, as the advisories say when read by hand
LINES = [
    ("S7-OLD", "ICSA-23-222-07", "affected", "exact"),
    ("S7-NEW", "ICSA-23-222-07", "", ""),
    ("S7-NO-ORDER", "ICSA-23-222-07", "affected", "likely"),
    ("EN2TR-C", "ICSA-23-193-01", "affected", "exact"),
    ("EN2TR-C", "ICSA-23-264-04", "affected", "exact"),
    ("EN2TR-NEW", "ICSA-23-193-01", "", ""),
    ("EN2TR-NEW", "ICSA-23-264-04", "", ""),
    ("CAMERA", "ICSA-19-304-04", "affected", "exact"),
    ("CAMERA-OTHER", "ICSA-19-304-04", "unknown", "possible"),
    ("SWITCH", "ICSA-19-057-01", "affected", "exact"),
    ("SWITCH-NEW", "ICSA-19-057-01", "", ""),
    ("PANEL", "ICSA-23-285-12", "affected", "exact"),
    ("PANEL", "ICSA-21-082-01", "affected", "likely"),
    ("DAQ", "ICSA-21-308-02", "unknown", "possible"),
    ("DAQ-OLD", "ICSA-21-308-02", "affected", "exact"),
    ("UNEM", "ICSA-23-005-01", "affected", "exact"),
    # names that the labels hold to be several products or none
    ("CLASS", "ICSA-23-131-08", "affected", "likely"),
    ("SERIES", "ICSA-19-073-03", "affected", "likely"),
    ("ANYBODY", "ICSA-21-161-02", "affected", "likely"),
    ("FORMULA", "ICSA-23-017-02", "affected", "likely"),
    ("THREE", "ICSA-17-129-02", "affected", "likely"),
]


@pytest.fixture(scope="module")
def advisories(data_dir: Path) -> list[Advisory]:
    found = []
    with tarfile.open(data_dir / "cisa-csaf-2017-2023.tar.xz") as archive:
        for member in archive:
            content = archive.extractfile(member) if member.name.endswith(".json") else None
            if content is not None and "feed" not in member.name:
                found.append(read_advisory(content.read(), member.name))
    return found


@pytest.mark.data
def test_assets_checked_by_hand_meet_the_industrial_advisories(advisories: list[Advisory]) -> None:
    inventory = assets_in.read(CHECKED.encode(), "plant.csv")
    lines = {(m.component, m.advisory): m for m in match([inventory], advisories)}
    for asset, advisory, verdict, confidence in LINES:
        line = lines.get((asset, advisory))
        got = (line.verdict, line.confidence) if line else ("", "")
        assert got == (verdict, confidence), (asset, advisory)


@pytest.mark.data
def test_no_unreadable_entry_is_lost(advisories: list[Advisory]) -> None:
    """Who writes the product as the advisory does gets a line for each entry that isn't read."""
    wanted: dict[str, set[str]] = {}
    components = []
    for advisory in advisories:
        for affected in advisory.affected:
            problems = [r for r in affected.ranges if r.problem and r.status != "unaffected"]
            if problems and affected.product and affected.vendor:
                identifier = f"asset {len(components)}"
                wanted[identifier] = {advisory.id}
                components.append(
                    Component(identifier, vendor=affected.vendor, product=affected.product,
                              version="1.0")
                )  # fmt: skip
    assert len(components) > 850
    lines = match([Inventory("i", tuple(components))], advisories)
    told = {(m.component, m.advisory) for m in lines if m.verdict in ("unknown", "affected")}
    assert [(c, a) for c, ids in wanted.items() for a in ids if (c, a) not in told] == []


@pytest.mark.data
def test_industrial_advisories_are_read_and_most_versions_with_them(data_dir: Path) -> None:
    documents, entries, read, refused = 0, 0, 0, []
    with tarfile.open(data_dir / "cisa-csaf-2017-2023.tar.xz") as archive:
        for member in archive:
            if not member.name.endswith(".json") or not member.isfile():
                continue
            content = archive.extractfile(member)
            assert content is not None
            try:
                advisory = read_advisory(content.read(), member.name)
            except BadInput:
                refused.append(member.name)
                continue
            documents += 1
            ranges = [r for a in advisory.affected for r in a.ranges]
            entries += len(ranges)
            read += sum(not r.problem for r in ranges)
    assert documents == 2035
    assert len(refused) == 2  # the feeds
    assert read / entries > 0.92
