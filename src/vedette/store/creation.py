"""The tables of a new database, made from the models in one go.

Migrating an empty database draws every model anew after each step, which takes many times as long.
What comes out is the same; a test compares them.
"""

from __future__ import annotations

from django.apps import apps
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder


def is_empty() -> bool:
    """Whether the database has no table yet."""
    return not connection.introspection.table_names()


def create_tables() -> None:
    """Make an empty database's tables and put all migrations on record, in one transaction."""
    known = MigrationLoader(None).disk_migrations
    recorder = MigrationRecorder(connection)
    with connection.schema_editor() as editor:
        recorder.ensure_schema()
        for model in apps.get_models():
            if model._meta.can_migrate(connection):
                editor.create_model(model)
        recorder.Migration.objects.bulk_create(
            recorder.Migration(app=app, name=name) for app, name in known
        )
    emit_post_migrate_signal(verbosity=0, interactive=False, db=connection.alias)
