# The developer's commands; `make` alone lists them. Those that need it begin with `setup`, which does nothing when
# nothing changed.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
export MINECAM_SHARED_DATA ?= $(abspath ../shared/data)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup demo lint test test-all bench bench-sql bench-change bench-fleet bench-workers format audit findings

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.ready ## install everything that MineCam needs: PostGIS and .venv

.venv/.ready: pyproject.toml constraints.txt deploy/packages.sh
	bash deploy/packages.sh
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet -c constraints.txt -e '.[test]'
	touch $@

demo: setup ## start the stack and watch four simulated mines
	$(BIN)/minecam demo

lint: setup ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint ## lint, and all tests that are not minutes long; what CI runs
	$(BIN)/pytest -m 'not slow' -n 2 --dist loadscope --no-loadscope-reorder

test-all: lint ## lint and all tests
	$(BIN)/pytest

bench: setup ## how fast the prediction engine is
	$(BIN)/pip install --quiet -c constraints.txt -e '.[fast]'
	$(BIN)/python tests/bench/bench.py $(BENCH)

bench-sql: setup ## how fast the database answers for a world of mines
	$(BIN)/pip install --quiet -c constraints.txt duckdb geoalchemy2
	$(BIN)/python tests/bench/world/bench.py $(BENCH)

bench-change: setup ## how well change is found on simulated mines
	$(BIN)/python tests/bench/sensitivity.py .bench/change $(BENCH)

bench-fleet: setup ## what an epoch costs; BENCH="--against CHECKOUT" measures another in turns
	$(BIN)/python tests/bench/fleet/bench.py $(BENCH)

bench-workers: setup ## how much faster more workers watch a fleet
	$(BIN)/python tests/bench/fleet/workers.py $(BENCH)

format: setup ## put the code in the form that lint asks for
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

audit: setup ## what the package registry tells of the pinned packages; needs the network
	$(BIN)/python -m deploy.audit

findings: ## run every findings/*.sh and say which failed; fetches packages
	@failed=; for script in findings/*.sh; do \
	  echo "== $$script"; \
	  if bash "$$script"; then echo "passed: $$script"; else echo "failed: $$script"; failed="$$failed $$script"; fi; \
	done; test -z "$$failed" || { echo "failed:$$failed"; exit 1; }; echo "all passed"
