# Targets for people; each one says what it does in "make help".
PY := .venv/bin/python
ARGS ?=
MINUTES ?= 10

# Bytecode is what makes oh-tui start fast; a setting that forbids it would recompile at each start.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev setup-slow demo run dev test test-pythons test-slow fuzz lint check bench bench-many soak monkey test-live screenshots clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: ## make .venv with what oh-tui needs to run (the other targets do it by themselves)
	@scripts/setup run

setup-dev:
	@scripts/setup dev

setup-slow:
	@scripts/setup slow

demo: setup ## open the explorer on made-up data: no key, no network
	@.venv/bin/oh-tui --demo

run: setup ## open the explorer on your server (ARGS="--server URL", ARGS="open run.zip")
	@.venv/bin/oh-tui $(ARGS)

dev: setup-dev ## the demo with live styles: saving app.tcss shows at once, prints go to dev.log
	@TEXTUAL=debug TEXTUAL_LOG=dev.log $(PY) -m oh_tui --demo $(ARGS)

test: setup-dev ## the tests (ARGS="-k name" for some of them), and the slowest of them
	@scripts/test -n auto --dist worksteal --durations=20 $(ARGS)

test-pythons: setup-dev ## those that may differ between versions of Python, on each version here
	@scripts/test-pythons $(ARGS)

test-slow: setup-slow ## those that start many processes and wait for them, and 100 examples of each property
	@EXAMPLES=100 scripts/test -n auto --dist worksteal -m "slow or hypothesis" $(ARGS)

fuzz: setup-dev ## the property tests with fresh examples, for minutes (MINUTES=10, ARGS="-k name")
	@$(PY) -m scripts.fuzz --minutes $(MINUTES) $(ARGS)

lint: setup-dev ## format, lint, types and import contracts
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	.venv/bin/lint-imports

check: lint test ## everything that must hold before a commit

bench: setup ## how fast it is, against what it is made of: one table, five minutes (ARGS="keys search")
	@$(PY) -m benchmarks.bench $(ARGS)

bench-many: setup-dev ## how fast 3,000 runs are indexed, searched and audited: four minutes (ARGS="--runs 10000")
	@$(PY) -m benchmarks.many $(ARGS)

soak: setup-dev ## minutes of hard use, faults thrown in, nothing left behind (MINUTES=10, ARGS="--seed N")
	@$(PY) -m scripts.soak --minutes $(MINUTES) $(ARGS)

monkey: setup-dev ## minutes of random keys, text, mouse and sizes over a slow network (MINUTES=10 SEED=n)
	@$(PY) -m scripts.monkey --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) $(ARGS)

test-live: setup-dev ## tests against real OpenHands servers, installed at the first time (9 GB)
	@$(PY) scripts/live_setup.py; code=$$?; \
	if [ $$code -eq 75 ]; then exit 0; fi; \
	if [ $$code -ne 0 ]; then exit $$code; fi; \
	scripts/test tests/live -n 3 --dist loadgroup --durations=20 -rs $(ARGS)

screenshots: setup-dev ## make the pictures in screenshots/ and the recorded minute again, from the demo
	$(PY) -m scripts.screenshots $(ARGS)

clean: ## remove .venv and everything that tools left behind
	rm -rf .venv .venv-3.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist dev.log
	find oh_tui tests scripts benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
