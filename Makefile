# The developer's commands. Each begins with `setup`, which does nothing when nothing changed.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
export MINECAM_SHARED_DATA ?= $(abspath ../shared/data)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: setup demo test test-all bench bench-sql bench-change lint format

setup: .venv/.ready

.venv/.ready: pyproject.toml constraints.txt deploy/packages.sh
	bash deploy/packages.sh
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet -c constraints.txt -e '.[test]'
	touch $@

demo: setup
	$(BIN)/minecam demo

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/pytest -m 'not slow' -n 2 --dist loadscope --no-loadscope-reorder

test-all: lint
	$(BIN)/pytest

bench: setup
	$(BIN)/pip install --quiet -c constraints.txt -e '.[fast]'
	$(BIN)/python tests/bench/bench.py $(BENCH)

bench-sql: setup
	$(BIN)/pip install --quiet -c constraints.txt duckdb geoalchemy2
	$(BIN)/python tests/bench/world/bench.py $(BENCH)

bench-change: setup
	$(BIN)/python tests/bench/sensitivity.py .bench/change $(BENCH)

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
