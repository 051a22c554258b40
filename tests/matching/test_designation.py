"""Product names: family, model, generation, order numbers and variant, or the reason why not."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.matching import designation, listing, orders
from vedette.matching.designation import Designation, Unresolved

READ = [
    (
        "SIMATIC S7-1500 CPU 1515-2 PN (6ES7515-2AM01-0AB0)",
        Designation("simatic s7 1500", "cpu 1515 2 pn", orders=("6ES7515-2AM01-0AB0",)),
    ),
    (
        "SIPLUS ET 200SP CPU 1512SP-1 PN (6AG1512-1DK01-2AB0)",
        Designation("siplus et 200sp", "cpu 1512sp 1 pn", orders=("6AG1512-1DK01-2AB0",)),
    ),
    ("SIMATIC CP 1616 (6GK1161-6AA02)",
     Designation("simatic", "cp 1616", orders=("6GK1161-6AA02",))),
    ("SINAMICS S150 V4.7 w. PN", Designation("sinamics", "s150", "v4.7", variant="w pn")),
    ("SIMATIC S7-410 V8 CPU family (incl. SIPLUS variants)",
     Designation("simatic s7 410", "", "v8", variant="siplus")),
    ("SIPROTEC 5 7VK87 (CP300)", Designation("siprotec 5", "7vk87", variant="cp300")),
    ("SIMATIC ET200ecoPN, 8DI, DC24V, 8xM12 (6ES7141-6BG00-0BB0)",
     Designation("simatic", "et200ecopn 8di dc24v 8xm12", orders=("6ES7141-6BG00-0BB0",))),
    ("Analog FM transmitter (EXC5000GX)", Designation("analog fm transmitter", "exc5000gx")),
    ("System Configuration Tool (SCT) version 14",
     Designation("system configuration tool", "", "14")),
    ("1756-EN4TRXT Series A", Designation("", "1756 en4trxt series a")),
    ("MELSEC iQ-R series Safety CPU R16SFCPU", Designation("melsec iq r safety cpu", "r16sfcpu")),
    ("MELSEC-F series FX3U-64MT/ES-A", Designation("melsec f", "fx3u 64mt es a")),
    ("IE-SW-PL10M-1GT-2GS-7TX firmware", Designation("", "ie sw pl10m 1gt 2gs 7tx")),
    ("Kalay P2P SDK", Designation("kalay p2p sdk")),
    ("FactoryTalk Alarms and Events", Designation("factorytalk alarms and events")),
    ("PSS(R)ODMS V13.0", Designation("pssodms", "", "v13.0")),
    ("Modicon M340 CPU (part numbers BMXP34*)",
     Designation("modicon", "m340 cpu", orders=("BMXP34*",))),
    ("ILC 2050 BI (Article number 2403160)",
     Designation("ilc", "2050 bi", orders=("2403160",))),
    ("Development/Evaluation Kits for PROFINET IO: EK-ERTEC 200P",
     Designation("ek ertec", "200p")),
    ("SIMATIC Cloud Connect 7 CC712 (6GK1411-1AC00)",
     Designation("simatic cloud connect 7", "cc712", orders=("6GK1411-1AC00",))),
    ("Counterparty Settlement and Billing (CSB)",
     Designation("counterparty settlement and billing")),
    ("WebAccess/SCADA", Designation("webaccess scada")),
    ("CT50-Ex", Designation("", "ct50 ex")),
    ("Easergy P5 All firmware", Designation("easergy", "p5")),
    ("SIMATIC PCS 7 V8.0 and earlier", Designation("simatic pcs 7", "", "<=v8.0")),
    ("Siveillance VMS 2016 R2", Designation("siveillance vms", "", "2016r2")),
    ("SINAMICS G130 V4.7 SP1 Control Unit",
     Designation("sinamics", "g130 control unit", "v4.7sp1")),
    ("SIMATIC HMI Basic Panels 2nd Generation X", Designation(
        "simatic hmi basic panels", "2nd generation x")),
    ("Series PFC100", Designation("", "pfc100")),
    ("SCALANCE X308-2LH+", Designation("scalance", "x308 2lh plus")),
    ("Niagara AX 3.8u4", Designation("niagara ax", "", "3.8u4")),
    ("Spectrum Power™ 5", Designation("spectrum power", "5")),
    ("6ED1052-1CC01-0BA8", Designation(orders=("6ED1052-1CC01-0BA8",))),
    ("750-8202/025-000", Designation("", "750 8202 025 000")),
    ("PC10B Type=TCC-1021", Designation("", "pc10b", orders=("TCC-1021",))),
    ("HID SAFE using the optional External Visitor Manager portal", Designation(
        "hid safe", condition="using the optional External Visitor Manager portal")),
    ("CT50 running Android OS", Designation("", "ct50", condition="running Android OS")),
    ("Q12DCCPU-V The first 5 digits of serial No.",
     Designation("", "q12dccpu v", condition="The first 5 digits of serial No.")),
    ("Stratix 5200 (running Cisco IOS XE)",
     Designation("stratix", "5200", variant="running cisco ios xe")),
    ("Patient Information Center iX (PICiX)", Designation("patient information center ix")),
    ("PTP C-series", Designation("ptp c series")),
    ("TCP/IP stack DHCPv6", Designation("tcp ip stack dhcpv6")),
    ("SIMATIC S7-1500 CPU S7-1518F-4 PN/DP ODK (6ES7518-4FP00-3AB0)",
     Designation("simatic s7 1500", "cpu s7 1518f 4 pn dp odk", orders=("6ES7518-4FP00-3AB0",))),
    ("FL SWITCH 4012T 2GT 2FX", Designation("fl switch", "4012t 2gt 2fx")),
    ("SCALANCE XR324-4M EEC (100-240VAC/60-250VDC, ports on rear)",
     Designation("scalance", "xr324 4m eec", variant="100 240vac 60 250vdc ports on rear")),
    ("OPC UA C++ Server SDK", Designation("opc ua c plus plus server sdk")),
    ("PLUSCONTROL 1st Gen", Designation("pluscontrol", "", "1stgen")),
    # the last of two series, one before letters, a unit, a model of letters alone
    ("SIMATIC S7-1500 ET 200pro: CPU 1516PRO-2 PN (6ES7516-2PN00-0AB0)",
     Designation("simatic s7 1500 et 200pro", "cpu 1516pro 2 pn", orders=("6ES7516-2PN00-0AB0",))),
    ("SIMATIC S7-PLCSIM Advanced", Designation("simatic s7 plcsim advanced")),
    ("SINUMERIK ONE PPU 1740", Designation("sinumerik one", "ppu 1740")),
    ("Agility Water-Cooled Chiller Model HDWA",
     Designation("agility water cooled chiller", "hdwa")),
    ("MELSEC iQ-R series SIL2 Process CPU R08PSFCPU",
     Designation("melsec iq r sil2 process cpu", "r08psfcpu")),
    ("STEPTools v18SP1 ifcmesh library", Designation("steptools ifcmesh library", "", "v18sp1")),
    ("Desigo CC product family V5.0", Designation("desigo cc", "", "v5.0")),
    ("TBox RM2 (All models)", Designation("tbox", "rm2")),
    ("IGSS (Interactive Graphical SCADA System)", Designation("igss")),
    ("Quantum HD Unity Interface control panels (Q5)",
     Designation("quantum hd unity interface control panels", "q5")),
    ("SINAMICS PERFECT HARMONY GH180 with NXG I control, MLFBs: 6SR2...-,", Designation(
        "sinamics perfect harmony", "gh180", orders=("6SR2...",),
        condition="with NXG I control")),
    ("Modicon M580 CPU (part numbers BMEP* and BMEH*)",
     Designation("modicon", "m580 cpu", orders=("BMEP*", "BMEH*"))),
    ("ZOOM LATITUDE Programmer/Recorder/Monitor (PRM) - Model 3120",
     Designation("zoom latitude programmer recorder monitor", "3120")),
]  # fmt: skip
UNREAD = [
    ("R08/16/32/120PCPU", Unresolved.SEVERAL),
    ("JUUKO K-800 and K-808", Unresolved.SEVERAL),
    ("SICAM PAS/PQS", Unresolved.SEVERAL),
    ("MELSEC iQ-R Series R32(EN)CPU", Unresolved.SEVERAL),
    ("Vybrid VF6xx", Unresolved.SEVERAL),
    ("Industrial Printers", Unresolved.SEVERAL),
    ("Nexx Garage Door Controller (NXG-100B, NXG-200)", Unresolved.SEVERAL),
    ("GOT SIMPLE (Models GS25, GS21)", Unresolved.SEVERAL),
    ("IntelliVue patient monitor MX400-MX850", Unresolved.SEVERAL),
    ("XPS-Cx", Unresolved.SEVERAL),
    ("STEPTools v18ab3 ifcmesh library", Unresolved.GENERATION_INSIDE),
    ("RUT model routers", Unresolved.SEVERAL),
    ("Radar Target Simulators", Unresolved.SEVERAL),
    ("SINAMICS G120(C/P/D) w. PN", Unresolved.SEVERAL),
    ("IntelliVue patient monitor MP2-MP90", Unresolved.SEVERAL),
    ("Web server vulnerabilities", Unresolved.DESCRIPTION),
    ("Modicon Modbus protocol", Unresolved.DESCRIPTION),
    ("Web Server", Unresolved.NOT_A_PRODUCT),
    ("SREA-01 revisions A B C", Unresolved.SEVERAL),
    ("CODESYS reports all CODESYS V2 web servers", Unresolved.DESCRIPTION),
    ("EN100 Ethernet modules as optional for Reyrolle", Unresolved.DESCRIPTION),
    ("Versions", Unresolved.NOT_A_PRODUCT),
    ("OS", Unresolved.NOT_A_PRODUCT),
    ("R128", Unresolved.NOT_A_PRODUCT),
    ("Tego1_r2a16_03", Unresolved.NOT_A_PRODUCT),
    ("PcVue 12 OAuth web service configuration", Unresolved.GENERATION_INSIDE),
    # two products, a range of them, a release or an order number beside the model
    ("NVRmini2 NVRsolo", Unresolved.AMBIGUOUS),
    ("PanelView Plus 6 700-1500", Unresolved.AMBIGUOUS),
    ("IntelliVue Monitors MX (MX400-550)", Unresolved.AMBIGUOUS),
    ("MELSEC iQ-R series R04CPU Process CPU R08PSFCPU", Unresolved.AMBIGUOUS),
    # a unit without its number, a word torn in two, a state, an operating system, others included
    ("SIMATIC S7-400 H V6 CPU family (incl. SIPLUS variants)", Unresolved.AMBIGUOUS),
    ("SIMATIC S7-1500 TM MFP - BIOS", Unresolved.AMBIGUOUS),
    ("SIO- MB04ADS", Unresolved.AMBIGUOUS),
    ("VxWorks End-of-Life", Unresolved.AMBIGUOUS),
    ("SIMATIC S7-400 CPU hardware version 5.0", Unresolved.AMBIGUOUS),
    ("SINUMERIK PCU base Win10 software /IPC", Unresolved.AMBIGUOUS),
    ("IQ Wifi 6 Firmware", Unresolved.AMBIGUOUS),
    ("Windows 2000", Unresolved.AMBIGUOUS),
    ("GOT1000 Series GT14 Model", Unresolved.AMBIGUOUS),
    ("1-Phase Power Supply (UPS) using NMC2 including Galaxy 3500", Unresolved.AMBIGUOUS),
    ("Monitoring Unit with embedded NMC2 (NB250) NetBotz NBRK0250", Unresolved.AMBIGUOUS),
    ("XMC20 R4 using COGE5", Unresolved.AMBIGUOUS),
    ("SINAMICS V90 w. PN", Unresolved.AMBIGUOUS),
    ("Alaris Gateway Workstation Alaris TIVA", Unresolved.AMBIGUOUS),
    ("2700974 ILC 151 ETH", Unresolved.AMBIGUOUS),
    # the number is of what it is made for
    ("CODESYS Control for PFC100", Unresolved.AMBIGUOUS),
    # a bracket with other products, an open number, what may be the name or the model
    ("SCALANCE X-300 switch family (incl. X408 and SIPLUS NET variants)", Unresolved.AMBIGUOUS),
    ("SIMATIC ET200SP (incl. SIPLUS variants, except IM155-6 PN ST)", Unresolved.AMBIGUOUS),
    ("C80 (BND-2036W000-**)", Unresolved.AMBIGUOUS),
    ("Veradius Unity (718132)", Unresolved.AMBIGUOUS),
    ("APOGEE PXC Series (P2)", Unresolved.AMBIGUOUS),
    ("499ES EtherNet/IP Adaptor Source Code a TCP/IP stack", Unresolved.DESCRIPTION),
    ("SEPCOS Single Package (1.24.xx Linux edition)", Unresolved.LEFT_OVER),
    ("Series A", Unresolved.NOT_A_PRODUCT),
    ("P2P protocol", Unresolved.NOT_A_PRODUCT),
]


@pytest.mark.parametrize(("name", "parts"), READ, ids=[name for name, _ in READ])
def test_names_are_read_into_their_parts(name: str, parts: Designation) -> None:
    assert designation.read(name) == parts


@pytest.mark.parametrize(("name", "reason"), UNREAD)
def test_what_has_no_single_reading_has_a_reason(name: str, reason: Unresolved) -> None:
    found = designation.read(name)
    assert found.reason is reason
    assert found.whole == ""


MEMBERS = [
    ("Relion 670/650 series", [("relion", "670"), ("relion", "650")]),
    ("R04/08CPU", [("", "r04cpu"), ("", "r08cpu")]),
    ("MELSEC iQ-R Series R32(EN)CPU", [("melsec iq r", "r32cpu"), ("melsec iq r", "r32encpu")]),
    ("LJ71C24(-R2)", [("", "lj71c24"), ("", "lj71c24 r2")]),
    ("SIMATIC CP 1616 and CP 1604", [("simatic", "cp 1616"), ("simatic", "cp 1604")]),
    ("JUUKO K-800 and K-808", [("juuko", "k 800"), ("juuko", "k 808")]),
    ("MRD-315 MRD-355 MRD-455", [("", "mrd 315"), ("", "mrd 355"), ("", "mrd 455")]),
    ("1763-L16AWA Series A and B",
     [("", "1763 l16awa series a"), ("", "1763 l16awa series b")]),
    ("Nexx Garage Door Controller (NXG-100B, NXG-200)",
     [("nexx garage door controller", "nxg 100b"), ("nexx garage door controller", "nxg 200")]),
    ("EFD-22xx", [("", "efd 22xx")]),
    ("CJ2M-CPU**", [("", "cj2m cpuxx")]),
    ("SIMATIC HMI Comfort Panels", [("simatic hmi comfort panels", "")]),
    ("SCALANCE XR-500/XM-400", [("scalance", "xr 500"), ("scalance", "xm 400")]),
    # letters that the name gives values for
    ("MELSEC-F FX3G-xMy/z x=14,24, y=T, z=ES,DSS",
     [("melsec f", f"fx3g {one}") for one in ("14mt es", "14mt dss", "24mt es", "24mt dss")]),
    # a list that could be cut in two ways, a class of nobody's own, everything of a vendor
    ("SICAM PAS/PQS", []),
    ("QJ72LP25(-25/G/GE)", []),
    ("L02/06/26CPU L26CPU-BT", []),
    ("DS-KH9310-WTE1(B)", []),
    ("AFS660/665S", []),
    ("Network Card 2 for Modular 150/175kVA PDU", []),
    ("SIMATIC WinCC Runtime / SIMATIC WinCC (TIA Portal) Professional", []),
    ("MELSEC-F FX3G-xMy/z x=14,24 y=T,R", []),
    ("MELSEC-F FX3G-xMy/z x=1424 y=T.R z=ESDSS", []),
    ("FX5U-xMy x=32,64, y=T,R (Serial number 17X**** and later)", []),
    ("ALSPA S6 MFC3000 and MFC1000", []),
    ("WHA-GW-*", []),
    ("RUT model routers", []),
    ("Industrial Printers", []),
    ("CODESYS V3 products", []),
]  # fmt: skip


@pytest.mark.parametrize(("name", "parts"), MEMBERS, ids=[name for name, _ in MEMBERS])
def test_a_list_is_read_where_its_members_are_sure(name: str, parts: list[tuple[str, str]]) -> None:
    found = designation.read(name)
    assert found.reason is Unresolved.SEVERAL
    assert [(one.family, one.model) for one in found.members] == parts
    assert all(one.reason is None for one in found.members)


def test_what_stands_beside_a_list_holds_for_each_member() -> None:
    name = "SIMATIC HMI KTP Mobile Panels V16 KTP400F, KTP700 and KTP900 (incl. SIPLUS variants)"
    found = designation.read(name)
    assert [(one.model, one.generation, one.variant) for one in found.members] == [
        (model, "v16", "siplus") for model in ("ktp400f", "ktp700", "ktp900")
    ]
    relays = designation.read("Desigo PXC00/64-U with Web module")
    assert {one.condition for one in relays.members} == {"with Web module"}


def test_a_list_holds_its_products() -> None:
    assert listing.several("JUUKO K-800 and K-808") == ("JUUKO K-800", "JUUKO K-808")
    assert listing.several("FX3GC-32MT/D, FX3GC-32MT/DSS") == (
        "FX3GC-32MT/D",
        "FX3GC-32MT/DSS",
    )
    assert listing.several("SCALANCE X208") == ()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1756-EN2TR/C", (("1756-EN2TR", "C"),)),
        ("1756-EN2TR Series A", (("1756-EN2TR", "A"),)),
        ("1756-en2tr", (("1756-EN2TR", ""),)),
        ("1756-EN2TR-XT9", ()),
    ],
)
def test_catalog_numbers_and_their_series(text: str, found: tuple[tuple[str, str], ...]) -> None:
    assert orders.catalog_numbers(text) == found


PIECES = (
    "SIMATIC", "Nano Pro", "CPU 1515-2", "X-208", "R2", "V4.7 SP1", "2019 R2", "Series", "series B",
    "family", "firmware", "w. PN", "(TIA Portal)", "(incl. SIPLUS variants)", "(incl. X408)",
    "(NP)", "(1.2.x feature level)", "(1.2.x Linux)", "(part number AB-12)", "(6ES7515-2AM01-0AB0)",
    "type=TC-1", "with GDS", "and earlier", "for Pumps", "Kit", "- Client", "S7-1500", "10 devices",
    "model 7",
)  # fmt: skip
SAYS_NOTHING = {
    *("and", "devices", "earlier", "family", "feature", "firmware", "incl", "level", "model"),
    *("number", "part", "series", "siplus", "type", "variants", "np", "cpu"),
}


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map(" ".join))
def test_no_word_of_a_name_that_is_read_is_lost(name: str) -> None:
    found = designation.read(name)
    parts = (found.family, found.model, found.variant, found.condition, *found.orders)
    said = re.findall("[a-z0-9]+", " ".join(parts).casefold())
    left = set(re.findall("[a-z0-9]+", name.casefold())) - {*said, *SAYS_NOTHING}
    glued = re.sub("[^a-z0-9]", "", found.generation)
    assert found.reason or [word for word in left if word not in glued] == []


def test_a_name_that_is_not_read_keeps_its_condition_and_its_line() -> None:
    found = designation.read("Nano X-208 X-3080 V4.7 running Android OS")
    assert found.reason is Unresolved.AMBIGUOUS
    assert (found.condition, found.generation) == ("running Android OS", "v4.7")
    assert designation.read("SINAMICS V90").generation == ""
    assert designation.read("Hub a server used to talk with robots").condition == ""


@given(st.text(max_size=80) | st.text("ABCxX0123456789-/() .,V&and", max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    found = designation.read(text)
    assert found.reason is not None or found.family or found.model or found.orders
    assert not found.members or found.reason is Unresolved.SEVERAL
    listing.several(text)
