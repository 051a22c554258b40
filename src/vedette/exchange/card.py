"""An instance's card: what a person hands to another instance's administrator to become peers.

The card is not secret, but it must come from the right hand: compare the fingerprint by voice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vedette.kernel.errors import BadInput
from vedette.kernel.keys import PublicKeys
from vedette.kernel.permissions import Profile


@dataclass(frozen=True)
class Card:
    """Name, profile, URL ("" where there is no network) and public keys of an instance."""

    name: str
    profile: Profile
    url: str
    keys: PublicKeys

    def to_json(self) -> dict[str, Any]:
        return {
            "vedette_card": 1,
            "name": self.name,
            "profile": str(self.profile),
            "url": self.url,
            "ed25519": self.keys.ed25519,
            "age": self.keys.age,
        }

    @classmethod
    def from_json(cls, value: Any) -> Card:
        """Read a card. Raises BadInput naming the field."""
        if not isinstance(value, dict) or value.get("vedette_card") != 1:
            raise BadInput(
                "card: not an instance's card", next_step="export one: vedette exchange card"
            )
        texts = {}
        for name in ("name", "profile", "url", "ed25519", "age"):
            text = value.get(name)
            if not isinstance(text, str) or len(text) > 500:
                raise BadInput(f"card.{name}: short text expected")
            texts[name] = text
        if texts["profile"] not in Profile.__members__.values():
            raise BadInput(f"card.profile: {texts['profile']!r} is none of {', '.join(Profile)}")
        keys = PublicKeys(texts["ed25519"], texts["age"])
        if not keys.usable():
            raise BadInput("card: its keys can't be used", next_step="ask for the card again")
        return cls(texts["name"], Profile(texts["profile"]), texts["url"], keys)

    @property
    def fingerprint(self) -> str:
        """The signing key's id in groups of four, to be compared by voice."""
        keyid = self.keys.keyid[:32]
        return " ".join(keyid[i : i + 4] for i in range(0, 32, 4))
