"""Django models, migrations, scoped managers, queries: the only room that knows tables."""
