"""Django's PostgreSQL backend, whose statements each run with the eyes of the present scope."""
