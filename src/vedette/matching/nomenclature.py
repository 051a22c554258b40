"""Words of product names that mean the same with every vendor: tables, and what reads them."""

from __future__ import annotations

import re

# a line of products whose number is no model's
SERIES = re.compile(
    r"(?i)\b(?:s7-(?:200|300|400|410|1200|1500)(?![\w-])|et ?200 ?[a-z]{0,3}\b(?!-)"
    r"|siprotec [45]\b|step 7\b|studio 5000\b|pcs 7\b|dash 7\b|cloud connect 7\b"
    r"|(?:dhcp|icmp|ip)v[46]\b)"
)  # fmt: skip
# a technology, a standard or a line of products: no model though it has a digit
TECHNOLOGY = re.compile(
    r"(?i)/?(?:(?:32|64)-bit|[2-5]g|3d|61850|802\.11n?|dnp3|iec(?:104|61850)|m2m|p2p|sil[1-4]"
    r"|s7(?:-[a-z]+)?)"
)
# a kind of unit, part of the model before its number
UNIT = re.compile(r"(?i)(?:cpu|cpe|cp|im|tim|tm|cm|cn|cr|sm|tp|ktp|op|ipc|pc|itc|fm|mcu|ncu|ppu)")
RATING = re.compile(
    r"(?i)[0-9]+x[ 0-9]*[0-9v].*|[0-9]+v(?:ac|dc)?|[+-][0-9]+/\+[0-9]+°c"
    r"|[0-9]+xm12|[0-9]+ ?(?:di|do|dio|ai|ao)\b.*|(?:ac|dc)[0-9]+v(?:/[0-9.]+a)?"
    r"|[0-9] (?:u/i|rtd/tc).*"
)
# what stands for one thing though it is written with a slash; at the end, names of one product
_PAIRS = """
    802.11a/b/g/n ac/dc and/or b/m c/s client/server ct/mr dp/dp dp/pn ethernet/ip gsm/gprs gt/gt
    hmi/scada i/o ie/as-i ie/pb-link ie/wsn-pa ip/ethernet iwlan-pb/link lte/us micro/win modbus/tcp
    mp/i n/a nm/ct pet/ct pn/dp pn/io pn/pn rtd/tc spect/ct tcp/ip tx/dtx tx/tx tx/tx-p u/i udp/ip
    x/y xq/i 232/422/485 232/422/485-t
    b/m9000 b/m9000cs empc-a/imx6 fast/tools nut/net uc/os uc/tcp-ip webaccess/nms webaccess/scada
    wise-paas/rmm
"""
PAIRS = frozenset(_PAIRS.split())
# XR-500/XM-400: two models
_TWO = re.compile(r"[A-Z]{2,}-?[0-9]{3,}/[A-Z]{2,}-?[0-9]{3,}")
# FX3U-64MT/ES-A, 750-8202/025-000, 3701/40: a suffix that belongs to the model
SUFFIX = re.compile(
    r"[A-Z0-9-]*[0-9][A-Z0-9-]*/[A-Z]{1,4}[0-9]?(?:-[A-Z0-9]{1,4})?"
    r"|[0-9]{3}-[0-9]{3,4}/[0-9x]{3}-[0-9x]{3}|[0-9]{4}/[0-9]{2}[A-Z]?|PN/[0-9]|/[A-Z]\S+"
    r"|[A-Z0-9]+-[0-9]{2}/[0-9]{2}P"
)
JOINED = re.compile(
    r"(?i)\b(?:alarms? and events|command and control|monitoring and control|search and rescue"
    r"|automation and control|lighting and power)\b"
)
CLASS = re.compile(
    r"(?i)\b(?:\w+[eo]rs|products|switches|devices|modules|panels|cameras|platforms|engines"
    r"|gateways|drives|units|instruments|applications|apps|components|oscilloscopes|workplaces"
    r"|workstations|pumps|relays|systems|cpus|dvrs|nvrs|panel pcs)$"
)
CLASS_WORDS = re.compile(
    r"(?: (?:controller|cpu|module|switch|device|relay|gateway|router|processor|drive|panel|engine"
    r"|camera|plc|unit|adapter)(?:s|es)?| series(?: [a-z])?)+$"
)
# what stands before the names of many products, and is left out as often
BRANDS = re.compile("^(?:simatic(?: net| hmi)?|ecostruxure|melsec|melsoft|allen bradley) (?=[a-z])")
# SIMATIC, DeltaV, MicroLogix, X-Series: a word that only one vendor uses
_OWN = re.compile(
    r"(?!(?:USB|HMI|PLC|CPU|DVR|UPS|PDU|LAN|GPS|PCI|PXI|WiFi|LTE|RTU|SCADA|WLAN|IEEE|IoT|PXIe)\b)"
    r"(?:[A-Z]{3,}[0-9]*|[A-Z][a-z]+[A-Z]\w*|[a-z]{1,2}[A-Z]\w+|[A-Z]-Series)(?![\w])"
)
PROSE = re.compile(
    r"(?:^(?:Running|Vulnerable|Any|All|Other|Third party|Provisions|Vulnerabilities|Weakness"
    r"|Access to)\s|\sprotocol$|-[Bb]ased\b"
    r"|\s(?:with|using|used|running|reports?|sold|optional|where|that|which|any|all|containing"
    r"|contains|includes?|including|based on|installed|connected|controlling|device types?|devices"
    r"|from|are|is|as|by|prior|later|earlier|before|those|under|vulnerable|vulnerabilities"
    r"|unintended|the|a|an|in|included|related|compatible|SKUs)(?=[\s,.:]|$))"
)
# words of which no product's name consists
_NO_NAME = """
    a all application client common components corporate cpu device edition firmware global hardware
    hmi library multiple n operating os pc plc product products runtime scada server software
    special standard system unknown various version versions web webserver workstation
"""
NO_NAME = frozenset(_NO_NAME.split())


def owned(name: str) -> bool:
    """Whether a class's name holds a word that only its vendor uses: SIMATIC HMI Panels."""
    return bool(_OWN.search(name)) or " Series " in name


def pair(token: str) -> bool:
    """Whether a word with a slash is the name of one thing."""
    plain = token.strip(",")
    if plain.casefold() in PAIRS or RATING.fullmatch(plain):
        return True
    return bool(SUFFIX.fullmatch(plain)) and not _TWO.fullmatch(plain)
