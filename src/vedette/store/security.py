"""Row-level security and append-only triggers, written from the models' own declarations.

Both are laid again after every migration, so that they can't fall behind the tables.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import connections, transaction

from vedette.store.tenancy import Mandated, Table, Tenancy

ORG = "current_setting('vedette.org', true)"
IS_HOST = "current_setting('vedette.host', true) = '1'"
NOW = "NULLIF(current_setting('vedette.now', true), '')::timestamptz"
IS_SYSTEM = "current_setting('vedette.system', true) = '1'"


def tables() -> list[type[Table]]:
    """Every table of the store, in a fixed order."""
    models = [m for m in apps.get_app_config("store").get_models() if issubclass(m, Table)]
    return sorted(models, key=lambda model: model.__name__)


def read_rule(model: type[Table]) -> str:
    """The SQL condition under which a row may be read, from the table's declaration."""
    rule: Tenancy = model.tenancy
    parts = [IS_SYSTEM, f"{_column(model, rule.owner)} = {ORG}"]
    if rule.host:
        parts.append(IS_HOST)
    if rule.through:
        name, row, org = rule.through
        joined = apps.get_model("store", name)
        assert issubclass(joined, Table)
        own = model._meta.pk.column if rule.shared == "pk" else _column(model, rule.shared)
        parts.append(  # names come from the models, never from input
            "EXISTS (SELECT 1 FROM "
            f"{joined._meta.db_table} j WHERE j.{_column(joined, row)} ="
            f" {model._meta.db_table}.{own} AND j.{_column(joined, org)} = {ORG})"
        )
    if rule.also:
        parts.append(f"{_column(model, rule.also)} = {ORG}")
    if rule.mandated:
        parts.append(_reach(model, rule.mandated, rule.mandated.read))
    if rule.public:
        parts.append(f"{_column(model, rule.public)} IS TRUE")
    return " OR ".join(parts)


def write_rule(model: type[Table]) -> str:
    """The SQL condition under which a row may be written."""
    rule: Tenancy = model.tenancy
    parts = [IS_SYSTEM, f"{_column(model, rule.owner)} = {ORG}"]
    if rule.host:
        parts.append(IS_HOST)
    if rule.mandated:
        parts.append(_reach(model, rule.mandated, rule.mandated.write))
    return " OR ".join(parts)


def _reach(model: type[Table], how: Mandated, acts: tuple[str, ...]) -> str:
    """The SQL condition under which a mandate in force lets a delegate do one of `acts`."""
    table, owner = model._meta.db_table, _column(model, model.tenancy.owner)
    named = ", ".join(f"'{act}'" for act in acts)
    joined = apps.get_model("store", "MandateReach")._meta.db_table
    return (  # names come from the models, never from input
        f"EXISTS (SELECT 1 FROM {joined} m WHERE m.delegate_id = {ORG}"
        f" AND m.operator_id = {table}.{owner} AND m.act IN ({named})"
        f" AND m.site IN ('', {table}.{_column(model, how.site)})"
        f" AND m.starts_at <= {NOW} AND {NOW} < m.ends_at)"
    )


def _column(model: type[Table], name: str) -> str:
    for field in model._meta.concrete_fields:
        if name in (field.attname, field.name):
            return str(field.column)
    raise LookupError(f"{model.__name__} has no column {name}")


def lay(using: str) -> None:
    """Lay row-level security (PostgreSQL) and append-only triggers (both databases)."""
    connection = connections[using]
    with transaction.atomic(using=using), connection.cursor() as cursor:
        for model in tables():
            table = model._meta.db_table
            if connection.vendor == "postgresql" and model.tenancy.owner:
                for statement in _policies(model, table):
                    cursor.execute(statement)
            if getattr(model, "append_only", False):
                for statement in _append_only(connection.vendor, table):
                    cursor.execute(statement)


def _policies(model: type[Table], table: str) -> list[str]:
    read, write = read_rule(model), write_rule(model)
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        *(f"DROP POLICY IF EXISTS vedette_{kind} ON {table}" for kind in _KINDS),
        f"CREATE POLICY vedette_read ON {table} FOR SELECT USING ({read})",
        f"CREATE POLICY vedette_add ON {table} FOR INSERT WITH CHECK ({write})",
        f"CREATE POLICY vedette_change ON {table} FOR UPDATE USING ({write}) WITH CHECK ({write})",
        f"CREATE POLICY vedette_drop ON {table} FOR DELETE USING ({write})",
    ]


_KINDS = ("read", "add", "change", "drop")


def _append_only(vendor: str, table: str) -> list[str]:
    if vendor == "sqlite":
        return [
            f"CREATE TRIGGER IF NOT EXISTS {table}_no_{act.lower()} BEFORE {act} ON {table}"
            f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            for act in ("UPDATE", "DELETE")
        ]
    return [
        f"CREATE OR REPLACE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$",
        f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}",
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}"
        f" FOR EACH ROW EXECUTE FUNCTION {table}_append_only()",
        f"DROP TRIGGER IF EXISTS {table}_no_truncate ON {table}",
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()",
    ]


def after_migrate(sender: Any, using: str, **kwargs: Any) -> None:
    """Signal receiver of Django's post_migrate for the store."""
    lay(using)
