"""Columns that are sealed under an act's key before they are written, and opened when read.

Rules:
- A row is sealed under the key of the act that it is bound to; without an act, and on an instance
  that keeps its own material, it is written as it is.
- The database holds sealed text alone: neither its journal, nor a free page, nor a backup ever
  held anything else. Nothing writes such a column past its row (`update` is refused).
- What is empty is not sealed. What no longer opens reads as empty, and is written back unchanged.
- The keys are not the store's: services hand in the keyring.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from django.apps import apps
from django.db import models
from django.db.models.query_utils import DeferredAttribute

from vedette.kernel.errors import OurFault
from vedette.kernel.sealing import PREFIX


class Keyring(Protocol):
    """Where keys come from."""

    def seal(self, act: str, place: str, data: bytes) -> str | None:
        """Seal under the act's key; None where this instance keeps the act's material open."""
        ...

    def open(self, act: str, place: str, token: str, row: models.Model) -> bytes | None:
        """Open what is `row`'s; None where its key is gone."""
        ...


_keyring: list[Keyring] = []


def use_keyring(keyring: Keyring) -> None:
    """Take keys from `keyring` in this process."""
    _keyring[:] = [keyring]


class Sealed(str):
    """A sealed text as the database holds it."""

    __slots__ = ()


class _Plain(str):
    """A text that may be written as it is: its row is bound to no key."""

    __slots__ = ()


class _Opening(DeferredAttribute):
    """Opens the value when it is read the first time."""

    field: SealedField

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        return self.field.opened(instance, value) if isinstance(value, Sealed) else value

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class SealedField(models.TextField):  # type: ignore[type-arg]
    """Text, or with `document` a JSON object, sealed under the act that the row's `bound` names."""

    descriptor_class = _Opening

    def __init__(
        self, *args: Any, bound: str = "act_id", document: bool = False, **options: Any
    ) -> None:
        self.bound, self.document = bound, document
        options.setdefault("blank", True)
        options.setdefault("default", dict if document else "")
        super().__init__(*args, **options)

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        return name, path, args, {**options, "bound": self.bound, "document": self.document}

    def from_db_value(self, value: Any, *_: Any) -> Any:
        if value is None or value.startswith(PREFIX):
            return value if value is None else Sealed(value)
        return self._read(value)

    def opened(self, row: models.Model, value: Sealed) -> Any:
        """The value behind the seal, kept in the row from now on; empty where its key is gone."""
        data = _keys().open(getattr(row, self.bound), self.place(type(row), row.pk), value, row)
        if data is None:
            return {} if self.document else ""
        row.__dict__[self.attname] = found = self._read(data.decode())
        return found

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = model_instance.__dict__.get(self.attname)
        if value is None or isinstance(value, Sealed):
            return value
        text = json.dumps(value, ensure_ascii=False) if self.document else str(value)
        act = getattr(model_instance, self.bound)
        if not act or not value:
            return _Plain(text)
        place = self.place(type(model_instance), model_instance.pk)
        sealed = _keys().seal(act, place, text.encode())
        return Sealed(sealed) if sealed else _Plain(text)

    def get_prep_value(self, value: Any) -> Any:
        if value is None or isinstance(value, Sealed | _Plain):
            return value if value is None else str(value)
        if not value:
            return "{}" if self.document else ""
        raise OurFault(f"{self.name}: written past its seal", next_step="save the row instead")

    def _read(self, text: str) -> Any:
        return json.loads(text or "{}") if self.document else text

    def place(self, model: type[models.Model], key: Any) -> str:
        """Where a value belongs; a key that the database gives is not known beforehand."""
        own = "" if isinstance(model._meta.pk, models.AutoField) else key
        return f"{model._meta.db_table}/{own}/{self.attname}"


def _keys() -> Keyring:
    if not _keyring:
        raise OurFault("a sealed column was touched before the keyring was handed in")
    return _keyring[0]


def unreadable(row: models.Model, name: str) -> bool:
    """Whether a sealed value is there and does not open."""
    getattr(row, name)
    values: Mapping[str, Any] = row.__dict__
    return isinstance(values.get(name), Sealed)


@dataclass(frozen=True)
class Place:
    """One sealed value: its table, its row, its column, the sealed text and what it is bound to."""

    table: str
    row: str
    column: str
    token: str
    bound_to: str


def sealed_places(act: str) -> Iterator[Place]:
    """Every value of the database that is sealed and bound to an act."""
    for model in apps.get_app_config("store").get_models():
        for column in model._meta.concrete_fields:
            if isinstance(column, SealedField):
                lookup = getattr(model, "sealed_lookup", column.bound)
                rows = model._default_manager.filter(**{lookup: act}).order_by("pk")
                for row, value in rows.values_list("pk", column.attname):
                    if isinstance(value, Sealed):
                        at = column.place(model, row)
                        name = model.__name__.lower()
                        yield Place(name, str(row), column.attname, str(value), at)


def as_it_is(text: str) -> str:
    """A text to be written unsealed by an `update`: what has to outlive its act's key."""
    return _Plain(text)
