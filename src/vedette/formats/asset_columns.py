"""The columns of an asset list, known by their headers in seven languages.

Rules, the first that fits counts:
- the header is spelled as one of `FIELDS`, without regard to case, punctuation, and garbling;
- so it is without words that say nothing (*the installed version*);
- every word of it tells the field or commonly stands beside such a word (*Product Version*), so
  that *Latest version* or *Hardware version* is never taken for the version that runs.
"""

from __future__ import annotations

import re

from vedette.matching import vendors

FIELDS = {
    "id": (
        *("id", "asset id", "asset tag", "asset", "asset number", "bom ref", "tag"),
        *("inventarnummer", "anlagennummer", "kennung", "inventar nr"),
        *("identifiant", "repère", "numéro d inventaire", "identificador", "inventario"),
        *("etiqueta",),
    ),
    "name": (
        *("name", "component", "package", "package name", "software", "hostname", "host"),
        *("komponente", "paket", "rechner", "anwendung"),
        *("nom", "composant", "logiciel", "nombre", "componente", "equipo"),
    ),
    "version": (
        *("version", "firmware version", "firmware", "fw version", "fw", "software version"),
        *("sw version", "current version", "installed version", "os version", "release", "rev"),
        *("firmwareversion", "firmwarestand", "fw stand", "softwareversion", "softwarestand"),
        *("sw stand", "ausgabestand", "versionsstand", "revision", "stand"),
        *("version firmware", "version du firmware", "micrologiciel", "version logicielle"),
        *("versión", "versión de firmware", "versión firmware", "versión de software"),
        *("versione", "versão", "versie", "firmwareversie", "softwareversie", "ver"),
    ),
    "purl": ("purl", "package url"),
    "vendor": (
        *("vendor", "manufacturer", "make", "supplier", "brand", "oem", "vendor name"),
        *("hersteller", "herstellername", "fabrikat", "lieferant", "marke", "anbieter"),
        *("fabricant", "constructeur", "marque", "fournisseur", "fabricante", "marca", "proveedor"),
        *("produttore", "fornitore", "fabrikant", "leverancier", "merk"),
    ),
    "product": (
        *("product", "product name", "device", "device name", "device type", "description"),
        *("equipment", "produkt", "produktname", "gerät", "geraet", "gerätename", "gerätetyp"),
        *("produktbezeichnung", "bezeichnung", "beschreibung", "type", "typ"),
        *(
            "produit",
            "nom du produit",
            "nombre del producto",
            "désignation",
            "appareil",
            "équipement",
            "producto",
            "dispositivo",
            "descripción",
        ),
        *("prodotto", "apparecchio", "descrizione", "produto", "equipamento", "descrição"),
        *("apparaat", "omschrijving", "os", "operating system", "betriebssystem"),
    ),
    "model": (
        *("model", "model number", "model no", "part number", "part no", "order number"),
        *("order no", "mlfb", "article number", "catalog number", "sku", "model name"),
        *("modell", "modellnummer", "typenbezeichnung", "bestellnummer", "bestell nr"),
        *("artikelnummer", "artikel nr", "teilenummer"),
        *("modèle", "référence", "référence produit", "numéro de commande", "réf", "modelo"),
        *("referencia", "número de pedido", "número de modelo", "código de producto"),
        *("part", "modello", "codice prodotto", "numero d ordine", "código do produto"),
    ),
    "serial": (
        *("serial", "serial number", "serial no", "sn", "s n", "serialnumber"),
        *("seriennummer", "serien nr", "fabriknummer"),
        *(
            "numéro de série",
            "n de série",
            "n série",
            "número de serie",
            "n de serie",
            "n serie",
            "no de serie",
        ),
        *("numero di serie", "matricola", "número de série", "serienummer"),
    ),
    "cpe": ("cpe", "cpe23", "cpe 2 3", "cpe name"),
    "confirmed": ("confirmed",),
    "site": (
        *("site", "location", "plant", "facility", "standort", "werk", "anlage", "betriebsstätte"),
        *("ort", "gebäude", "building"),
        *("lieu", "usine", "emplacement", "bâtiment", "planta", "ubicación", "sitio", "edificio"),
        *("sito", "stabilimento", "impianto", "local", "locatie"),
    ),
    "zone": (
        *("zone", "network zone", "segment", "cell", "area", "network", "vlan"),
        *("netz", "netzwerk", "netzsegment", "netzzone", "bereich"),
        *("zone réseau", "réseau", "zona", "red", "segmento"),
        *("rete", "rede", "netwerk"),
    ),
    "criticality": (
        *("criticality", "critical", "importance", "tier", "kritikalität", "kritikalitaet"),
        *("wichtigkeit", "kritisch", "schutzbedarf"),
        *("criticité", "criticidad"),
        *("criticità", "criticidade"),
    ),
    "exposure": (
        *("exposure", "exposed", "internet exposed", "internet facing", "exponiert"),
        *("exposition", "öffentlich erreichbar", "aus dem internet erreichbar"),
        *("exposición", "expuesto", "exposé"),
    ),
}
_IDLE = frozenset({"asset", "current", "device", "installed", "of", "the"})
_BESIDE = _IDLE | frozenset(
    {"name", "number", "no", "nr", "num", "n", "s", "level", "rating", "company", "running"}
    | {"product", "software", "sw", "system", "component", "application", "app", "os", "plc", "cpu"}
    | {"de", "del", "della", "der", "des", "di", "do", "du", "d", "la", "le", "van"}
    | {"produkt", "produit", "producto", "produto", "prodotto", "logiciel", "nom", "nombre"}
)
# what one word tells; an id of something else is none of the row's
_TELLING = {
    field: frozenset(word for word in spellings if " " not in word)
    for field, spellings in FIELDS.items()
    if field != "id"
}
_WORD = re.compile(r"[^\W_]+")


def guess(header: list[str]) -> dict[str, int]:
    """Return the column of each field that the header names."""
    words = [_WORD.findall(vendors.repair(cell).casefold()) for cell in header]
    exact = [" ".join(found) for found in words]
    loose = [" ".join(word for word in found if word not in _IDLE) for found in words]
    columns: dict[str, int] = {}
    for plain in (exact, loose):
        for field, spellings in FIELDS.items():
            free = [p if i not in columns.values() else "" for i, p in enumerate(plain)]
            spelled = next((s for s in spellings if s in free), None)
            if spelled is not None and field not in columns:
                columns[field] = free.index(spelled)
    for field, telling in _TELLING.items():
        for place, found in enumerate(map(frozenset, words)):
            known = found & telling and found <= telling | _BESIDE
            if known and field not in columns and place not in columns.values():
                columns[field] = place
    return columns
