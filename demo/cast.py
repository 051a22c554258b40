"""Who plays: organisations and people of the demo, all invented."""

from __future__ import annotations

from dataclasses import dataclass

from demo.stage import Person, Stage

MODEL = "meridian-3"
SUBJECT = "mutator"
VENDOR = "Norrvik Pumpworks"
FINDER = "Small Hours Research"
WATER = "Millbrook Water"
PLANT = "Eastfield Plant"
PARTNER = "Civic Defence Network"
CONSULTED = "Infrastructure Office"
MAINTAINER_MAIL = "maintainers@ujson.example"


@dataclass(frozen=True)
class Role:
    """One person: instance, key, address, name, role, and the organisation's own options."""

    instance: str
    key: str
    email: str
    name: str
    role: str
    options: tuple[str, ...] = ()


def _org(name: str, kind: str, sector: str, *more: str) -> tuple[str, ...]:
    return ("--org", name, "--kind", kind, "--sector", sector, *more)


ADMINISTRATORS = {
    "lab": "admin@meridian.example",
    "office": "admin@office.example",
    "clearinghouse": "admin@clearinghouse.example",
    "operator": "security@harbourbank.example",
}
CAST = (
    Role("lab", "lead", "lead@meridian.example", "Ines Okafor", "release-lead"),
    Role("lab", "compliance", "compliance@meridian.example", "Tomas Lind", "compliance"),
    Role("office", "officer", "officer@office.example", "Ruth Adeyemi", "reviewing-officer"),
    Role("office", "evaluator", "evaluator@office.example", "Mikael Brandt", "evaluator"),
    Role(
        "office",
        "consulted",
        "review@infrastructure.example",
        "Noor Haddad",
        "consulted-officer",
        _org(CONSULTED, "office", "government"),
    ),
    Role(
        "clearinghouse",
        "coordinator",
        "coordinator@clearinghouse.example",
        "Dana Whitcomb",
        "coordinator",
    ),
    Role(
        "clearinghouse",
        "vendor",
        "psirt@norrvik.example",
        "Signe Norr",
        "vendor",
        _org(VENDOR, "vendor", "water"),
    ),
    Role(
        "clearinghouse",
        "finder",
        "team@smallhours.example",
        "Ola Berg",
        "finder",
        _org(FINDER, "finder", "research"),
    ),
    Role(
        "clearinghouse",
        "water",
        "operations@millbrook-water.example",
        "Pat Hollis",
        "operator",
        _org(WATER, "operator", "water", "--small"),
    ),
    Role(
        "clearinghouse",
        "plant",
        "ot@eastfield.example",
        "Jo Varga",
        "operator",
        _org(PLANT, "operator", "manufacturing", "--small"),
    ),
    Role(
        "clearinghouse",
        "partner",
        "desk@civicdefence.example",
        "Lee Marsh",
        "partner",
        _org(PARTNER, "partner", "emergency services"),
    ),
)
PEERS = (
    ("lab", "office"),
    ("lab", "clearinghouse"),
    ("office", "clearinghouse"),
    ("operator", "clearinghouse"),
)


class Cast:
    """The people, by key."""

    def __init__(self, people: dict[str, Person]) -> None:
        self.people = people

    def __getattr__(self, key: str) -> Person:
        try:
            return self.people[key]
        except KeyError:
            raise AttributeError(key) from None


def enter(stage: Stage) -> Cast:
    """Found the instances, exchange keys, invite everybody, and let them join."""
    links = stage.raise_curtain(ADMINISTRATORS)
    stage.introduce(PEERS)
    people = {
        f"{profile}_admin": stage.instances[profile].join(
            links[profile], f"Administrator of the {profile}", email, "administrator"
        )
        for profile, email in ADMINISTRATORS.items()
    }
    # several commands at once, as several administrators would
    invitations = stage.together(
        lambda role: stage.instances[role.instance].invite(role.email, role.role, *role.options),
        CAST,
    )
    for role, link in zip(CAST, invitations, strict=True):
        instance = stage.instances[role.instance]
        people[role.key] = instance.join(link, role.name, role.email, role.role)
    return Cast(people)
