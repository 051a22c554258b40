"""Words of product names that mean the same with every vendor: tables, and what reads them."""

from __future__ import annotations

import re

# a line of products whose number is no model's
SERIES = re.compile(
    r"(?i)\b(?:s7-(?:200|300|400|410|1200|1500)(?![\w-])|et ?200 ?[a-z]{0,3}\b(?!-)"
    r"|siprotec [45]\b|step 7\b|studio 5000\b|pcs 7\b|dash 7\b|cloud connect 7\b"
    r"|(?:dhcp|icmp|ip)v[46]\b)"
)  # fmt: skip
TECHNOLOGY = frozenset(
    {
        "32-bit",
        "64-bit",
        "2g",
        "3d",
        "3g",
        "4g",
        "5g",
        "61850",
        "802.11",
        "802.11n",
        "dnp3",
        "iec104",
        "iec61850",
    }
    | {"m2m", "p2p"}
)
# a kind of unit, part of the model before its number
UNIT = re.compile(r"(?i)(?:cpu|cpe|cp|im|tim|tm|cm|cr|sm|tp|ktp|op|ipc|pc|itc|fm)")
RATING = re.compile(
    r"(?i)[0-9]+x[ 0-9]*[0-9v].*|[0-9]+v(?:ac|dc)?|[+-][0-9]+/\+[0-9]+°c"
    r"|[0-9]+xm12|[0-9]+ ?(?:di|do|dio|ai|ao)\b.*|(?:ac|dc)[0-9]+v(?:/[0-9.]+a)?"
    r"|[0-9] (?:u/i|rtd/tc).*"
)
# what stands for one thing though it is written with a slash
PAIRS = frozenset(
    {"802.11a/b/g/n", "ac/dc", "and/or", "b/m", "c/s", "ct/mr", "dp/dp", "dp/pn", "ethernet/ip"}
    | {"gsm/gprs", "gt/gt", "hmi/scada", "i/o", "ie/as-i", "ie/pb-link", "ie/wsn-pa"}
    | {"ip/ethernet", "iwlan-pb/link", "lte/us", "micro/win", "modbus/tcp", "mp/i", "n/a", "nm/ct"}
    | {"pet/ct", "pn/dp", "pn/io", "pn/pn", "rtd/tc", "spect/ct", "tcp/ip", "tx/dtx", "tx/tx"}
    | {"tx/tx-p", "u/i", "udp/ip", "x/y", "xq/i", "232/422/485", "232/422/485-t"}
    # names of one product
    | {
        "b/m9000",
        "b/m9000cs",
        "empc-a/imx6",
        "fast/tools",
        "nut/net",
        "uc/os",
        "uc/tcp-ip",
        "webaccess/nms",
    }
    | {"webaccess/scada", "wise-paas/rmm"}
)
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
    r"(?i)\b(?:products|printers|meters|switches|devices|modules|panels|controllers|cameras"
    r"|platforms|engines|analyzers|gateways|routers|sensors|drives|units|servers|instruments"
    r"|applications|processors|workplaces|workstations|scanners|pumps|recorders|systems|dvrs"
    r"|panel pcs)$"
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
    r"(?:^(?:Running|Vulnerable|Any|All|Other|Provisions|Vulnerabilities|Weakness|Access to)\s"
    r"|\s(?:with|using|used|running|reports?|sold|optional"
    r"|where|that|which|any|all|containing|contains|includes?|including|based|installed|connected"
    r"|controlling|device types?|devices|from|are|is|as|prior|later|earlier|before|those"
    r"|under|vulnerable|unintended|the|a|an|in|included|related|compatible|SKUs)(?=[\s,.:]|$)|-[Bb]ased\b)"
)
NOT_PRODUCTS = frozenset(
    {"all", "application", "cpu", "device", "firmware", "hardware", "hmi", "library", "multiple"}
    | {"n a", "operating system", "os", "plc", "product", "products", "runtime", "scada", "server"}
    | {"software", "special edition", "standard edition", "system", "unknown", "various"}
    | {
        "version",
        "versions",
        "workstation",
        "windows pc",
        "corporate edition",
        "global edition",
        "",
    }
)


def owned(name: str) -> bool:
    """Whether a class's name holds a word that only its vendor uses: SIMATIC HMI Panels."""
    return bool(_OWN.search(name)) or " Series " in name


def pair(token: str) -> bool:
    """Whether a word with a slash is the name of one thing."""
    plain = token.strip(",")
    return plain.casefold() in PAIRS or bool(RATING.fullmatch(plain) or SUFFIX.fullmatch(plain))
