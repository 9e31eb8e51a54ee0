# Every target first makes .venv as the lock says (quick when it is). `make help` lists them.
SHELL := /bin/sh
BIN := .venv/bin
# Tests that need the embedded stack share few processors with it.
WORKERS ?= 2
FUZZ_SECONDS ?= 60
# A run starts hundreds of processes: where bytecode is not written, each would compile this project's modules again.
export PYTHONDONTWRITEBYTECODE =

.DEFAULT_GOAL := help
.PHONY: help install browser demo up down status test test-unit test-slow test-tools test-integration watch lint format goldens docs site coverage upgrade release bench fuzz chaos package clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' Makefile | awk -F':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

install: ## make .venv: Python 3.13 and everything in the lock
	@sh scripts/bootstrap.sh

demo: install ## start the stack, drop the samples, print the KPIs, serve the dashboard (DEMO_EXIT=1: stop then)
	@$(BIN)/stockflow demo

up: install ## start the stack
	@$(BIN)/stockflow up

down: install ## stop the stack
	@$(BIN)/stockflow down

status: install ## show the parts of the stack
	@$(BIN)/stockflow status

test: install browser ## run the whole suite
	@$(BIN)/python -m pytest tests/unit -n $(WORKERS) --dist loadfile -q
	@$(BIN)/python -m pytest --ignore tests/unit -n $(WORKERS) --dist loadfile --no-loadscope-reorder -q

browser: ## install Chromium, where it is absent and can be installed
	@sh scripts/system-packages.sh

test-unit: install ## run the quick tests of the parts alone
	@$(BIN)/python -m pytest tests/unit -m "not slow" -n $(WORKERS) --dist loadfile -q

test-slow: install ## run the other tests of the parts alone: processes, databases, thousands of examples
	@$(BIN)/python -m pytest tests/unit -m slow -n $(WORKERS) --dist loadfile -q

test-tools: install ## run the tests of terraform, the build scripts, the pages and the Pub/Sub emulator itself
	@$(BIN)/python -m pytest --ignore tests/unit -m "not integration and not chaos" -n $(WORKERS) --dist loadfile -q

test-integration: install ## run the tests on real emulators and function processes
	@$(BIN)/python -m pytest --ignore tests/unit --ignore tests/bigquery --ignore tests/terraform -m "integration or chaos" -n $(WORKERS) --dist loadfile --no-loadscope-reorder -q

watch: install ## run the unit tests that a change touches, each time a file is saved (Ctrl-C ends it)
	@$(BIN)/python -m scripts.watch

lint: install ## check format, style, types and vocabulary
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy shared functions cli dataflow local scripts tests
	@$(BIN)/python -m scripts.vocabulary

format: install ## format and fix what can be fixed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

goldens: install ## write expected SQL and the plan's inventory again: review the difference
	@UPDATE_GOLDEN=1 $(BIN)/python -m pytest -q tests/unit/transform/test_merge.py tests/terraform/test_configuration.py

docs: install ## write the pages that are made from code: commands, settings, formats, KPIs
	@$(BIN)/python -m scripts.docs
	@$(BIN)/python -m functions.kpi.pages

site: install ## build the pages as one searchable site: build/site/index.html
	@$(BIN)/python -m scripts.site

coverage: install ## measure lines and branches of the unit tests against the floor in pyproject.toml
	@$(BIN)/coverage run -m pytest tests/unit -q -n0
	@$(BIN)/coverage report

upgrade: install ## take newer versions into uv.lock and the functions' requirements.txt (then: make test)
	@$(BIN)/uv lock --upgrade
	@sh scripts/bootstrap.sh
	@$(BIN)/stockflow package --lock
	@$(BIN)/python -m scripts.composer_lock
	@$(BIN)/python -m scripts.dataflow_lock

release: install ## check, write version and changelog, tag, build the packages (VERSION=1.2.3)
	@$(BIN)/python -m scripts.release "$(VERSION)"

bench: install ## measure speed and memory
	@for file in tests/benchmarks/bench_*.py; do $(BIN)/python -m tests.benchmarks.$$(basename $$file .py) || exit 1; done
	@$(BIN)/python -m tests.pubsub.bench_push

fuzz: install ## give each reader damaged files for FUZZ_SECONDS (60), guided by coverage: docs/fuzzing.md
	@$(BIN)/uv run --no-sync --with atheris python -m tests.fuzz.run $(FUZZ_SECONDS)

chaos: install ## kill, fail, double and replay until CHAOS_FAULTS faults (10000) happened: nothing is lost (CHAOS_SEED, CHAOS_MINUTES)
	@$(BIN)/python -m tests.chaos.run

package: install ## build each function's zip
	@$(BIN)/stockflow package

clean: ## stop the stack, delete its data and everything that was built
	@if [ -x $(BIN)/stockflow ]; then $(BIN)/stockflow down --purge; fi
	@rm -rf .stockflow build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
