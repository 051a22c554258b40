# Every target sets up what it needs; a second run finds it there. On Debian, as root, missing
# system packages are installed; otherwise the one line to run is printed.
.DEFAULT_GOAL := help
.PHONY: help setup demo serve test test-long bench lint format lock
# two targets share one environment
.NOTPARALLEL:

# an instance or a clock of the caller's own is none of these targets' business
unexport VEDETTE_INSTANCE VEDETTE_CLOCK
# without bytecode every command compiles Django and Inspect anew: a second or three each
unexport PYTHONDONTWRITEBYTECODE

# options for pytest, for instance: make test ARGS="tests/kernel -n 0"
ARGS ?=

help: ## these lines
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 11

setup: ## the environment in .venv, with .venv/bin/vedette
	@scripts/setup demo

demo: ## the main job, end to end; leaves everything in demo-out/
	@scripts/system-packages demo
	@scripts/setup demo
	.venv/bin/python demo/run.py --out demo-out

serve: ## the demo's instances with their portals
	@scripts/system-packages demo
	@scripts/setup demo
	.venv/bin/python demo/serve.py

test: ## the tests; what touches the database runs on SQLite and on PostgreSQL
	@scripts/system-packages test
	@scripts/setup test
	.venv/bin/python -m pytest -n 2 $(ARGS)
	.venv/bin/python tests/with_postgres.py .venv/bin/python -m pytest -n 2 tests/store tests/services tests/web

test-long: ## the tests, the slow ones too
	@scripts/system-packages test
	@scripts/setup test
	.venv/bin/python -m pytest -n 2 --long $(ARGS)
	.venv/bin/python tests/with_postgres.py .venv/bin/python -m pytest -n 2 --long tests/store tests/services tests/web

bench: ## the benchmarks; writes benchmarks/results.json
	@scripts/system-packages bench
	@scripts/setup test
	.venv/bin/python -m benchmarks $(ARGS)

lint: ## format, style, types, rooms and locks, changing nothing
	@scripts/setup lint
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/python scripts/check_locks.py

format: ## format the sources
	@scripts/setup lint
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

lock: ## resolve the dependencies anew (needs uv); make lock ARGS=--upgrade for newer releases
	@scripts/lock $(ARGS)
