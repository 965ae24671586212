# The only entry: `make help` prints what there is. Every step shows what it is doing.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STATE  ?= var
DEMO   := $(STATE)/demo
PORT   ?= 8000

# Folds and tests run side by side already: more threads of the numeric libraries only wait for each other's cores.
export OMP_NUM_THREADS ?= 1
export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := true

.PHONY: help
help: ## print this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1|\2/' | column -t -s '|'

.PHONY: install
install: $(VENV)/.installed ## install what the service needs into .venv

.PHONY: install-dev
install-dev: $(VENV)/.installed-dev ## install what development and tests need into .venv

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or later is needed: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@echo "Making the environment in $(VENV) …"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing the locked dependencies (about 1 GB, once) …"
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on --quiet --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@echo "Installing what the tests need …"
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on --quiet --require-hashes -r requirements-dev.lock
	@touch $@

.PHONY: demo
demo: install ## invent a company, learn, score, and say what was found
	@rm -rf $(DEMO)
	@$(BIN)/retention-train company --state $(DEMO)
	@$(BIN)/retention-train import $(DEMO)/records --state $(DEMO)
	@$(BIN)/retention-train fit --state $(DEMO)
	@$(BIN)/retention-train truth --state $(DEMO)
	@$(BIN)/retention-serve score --state $(DEMO)
	@$(BIN)/retention-serve cases-in --state $(DEMO)
	@$(BIN)/retention-serve forecast --state $(DEMO)
	@$(BIN)/retention-serve growth-batch --state $(DEMO)
	@$(BIN)/retention-serve summary --state $(DEMO) --open 'make serve'

.PHONY: serve
serve: install ## open the service on what `make demo` made
	@$(BIN)/retention-serve serve --state $(DEMO) --port $(PORT)

# The folders of the two public sets; their READMEs say where to get them.
DATA ?= ../shared/data

.PHONY: happyforce
happyforce: install ## real data: 37 companies' daily votes, judged beside published baselines
	@$(MAKE) --no-print-directory example SET=happyforce

.PHONY: ola
ola: install ## real data: a panel of drivers, judged beside published baselines
	@$(MAKE) --no-print-directory example SET=ola

.PHONY: example
example: install
	@test -d $(DATA)/$(SET) || { echo "$(DATA)/$(SET) is missing: see examples/$(SET)/README.md, then make $(SET) DATA=…"; exit 1; }
	@rm -rf $(STATE)/$(SET)
	@$(BIN)/python examples/$(SET)/convert.py $(DATA)/$(SET) $(STATE)/$(SET)/records
	@$(BIN)/retention-train import $(STATE)/$(SET)/records --state $(STATE)/$(SET) \
	  $(if $(wildcard examples/$(SET)/mapping.toml),--mapping examples/$(SET)/mapping.toml)
	@$(BIN)/retention-train fit --plan examples/$(SET)/plan.toml --state $(STATE)/$(SET)
	@$(BIN)/retention-train drivers --plan examples/$(SET)/plan.toml --state $(STATE)/$(SET)

BENCH := $(BIN)/python -W ignore benchmarks

.PHONY: bench
bench: bench-features bench-withdrawal bench-leaks bench-truth bench-effects bench-allocation bench-policy bench-models bench-access bench-groups bench-schema bench-kill bench-bundles bench-swap bench-serve ## every benchmark (hours)

.PHONY: bench-features
bench-features: $(VENV)/.installed-bench ## features beside hand-written pandas, Polars and DuckDB; more events, a month more
	@$(BENCH)/bench_features.py windows --folder $(STATE)/bench
	@$(BENCH)/bench_features.py growth --folder $(STATE)/bench --rounds 2
	@$(BENCH)/bench_features.py matrix --folder $(STATE)/bench --rounds 1

.PHONY: scale
scale: install ## how time and memory of the whole matrix grow with the company
	@$(BENCH)/bench_features.py scale --folder $(STATE)/bench --people 16000 --events 16000000

.PHONY: bench-withdrawal
bench-withdrawal: install ## withdrawal: how often the alarm is false and what it finds (about two minutes)
	@$(BIN)/retention-train withdrawal

.PHONY: bench-leaks
bench-leaks: install ## planted leaks that are found, clean runs that are stopped
	@$(BIN)/retention-train leaks

.PHONY: bench-truth
bench-truth: install ## invented companies of several regimes: how far from .5 to the known hazards
	@$(BENCH)/bench_truth.py ladder --regimes clinic realistic notice_lag accelerated --first-seed 101 --seeds 3
	@$(BENCH)/bench_truth.py ladder --regimes realistic notice_lag accelerated --sizes 4000 --months 60 --first-seed 102 --seeds 1
	@$(BENCH)/bench_truth.py falls --regimes notice_lag --sizes 4000 --months 60 --first-seed 102 --seeds 1
	@$(BENCH)/bench_truth.py canary --regimes realistic --seeds 3
	@$(BENCH)/bench_truth.py small --sizes 60 200 1000 --first-seed 101 --draws 20

.PHONY: bench-effects
bench-effects: install ## effects of care: bias, coverage, placebo, hidden causes (resumes where it stopped)
	@OMP_NUM_THREADS=1 $(BIN)/python -W ignore -m benchmarks.bench_effects n11 --draws 200 --out $(STATE)/bench/effects_n11.jsonl

.PHONY: bench-allocation
bench-allocation: install ## the plan of an organisation: 50,000 people and 25 actions
	@$(BENCH)/bench_allocation.py

.PHONY: bench-policy
bench-policy: install ## exits prevented by the plan beside simpler policies, on invented companies
	@$(BENCH)/bench_policy.py --seeds 3 --people 2000 --trial 1000
	@$(BIN)/python -W ignore -m benchmarks.bench_policy_trained --seeds 3 --people 1000

# A state with scores, for the benchmarks of the service: that of `make demo` unless told otherwise.
STATE_OF ?= $(DEMO)

.PHONY: bench-access
bench-access: install ## random viewers and people on every route and list: does anybody reach too far?
	@PYTHONPATH=. $(BENCH)/bench_access.py --pairs 10000

.PHONY: bench-groups
bench-groups: install ## random questions about groups and algebra over all answers: does a sum give anybody away?
	@PYTHONPATH=. $(BENCH)/bench_groups.py --queries 10000

.PHONY: bench-schema
bench-schema: install-dev ## every operation of the API under generated requests (Schemathesis)
	@PYTHONPATH=. $(BENCH)/bench_schema.py --state $(STATE_OF) --cases 200

.PHONY: bench-kill
bench-kill: install-dev ## the service is killed 100 times under writers, on SQLite and on PostgreSQL
	@PYTHONPATH=. $(BENCH)/bench_kill.py

.PHONY: bench-bundles
bench-bundles: install ## 1,000 damaged models: none may be served
	@PYTHONPATH=. $(BENCH)/bench_bundles.py --bundle $(wildcard $(STATE_OF)/champion/*)

.PHONY: bench-swap
bench-swap: install ## 20 changes of the model under load: no request may fail
	@$(BIN)/python -W ignore -m benchmarks.bench_swap --state $(STATE_OF)

.PHONY: bench-serve
bench-serve: install-dev ## requests a second beside a bare route and beside `mlflow models serve`; 100,000 people at once
	@PYTHONPATH=. OMP_NUM_THREADS=1 POLARS_MAX_THREADS=1 $(BENCH)/bench_serve.py --state $(STATE_OF)
	@PYTHONPATH=. OMP_NUM_THREADS=1 POLARS_MAX_THREADS=1 $(BENCH)/bench_posted.py --state $(STATE_OF)

.PHONY: test-postgres
test-postgres: install-dev ## the tests of the service, each on SQLite and on PostgreSQL
	@RETENTION_TEST_STORES=sqlite,postgresql $(BIN)/python -m pytest -n 2 --dist loadfile tests/serving

.PHONY: bench-generator
bench-generator: install ## is the generator of invented companies what it says it is
	@$(BENCH)/bench_truth.py generator --seeds 200

.PHONY: bench-models
bench-models: $(VENV)/.installed-bench ## the estimator beside published models and peers (resumes where it stopped)
	@OMP_NUM_THREADS=1 $(BIN)/python -W ignore -m benchmarks.bench_models --data $(DATA) --out $(STATE)/bench

$(VENV)/.installed-bench: benchmarks/requirements.txt $(VENV)/.installed-dev
	@echo "Installing the peers (some are GPL: for benchmarks only, never part of the product) …"
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on --quiet -r benchmarks/requirements.txt
	@touch $@

.PHONY: test
test: install-dev ## run every test (-n 2: one worker per core; in order, or the few long tests come last)
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: coverage
coverage: install-dev ## how much of features/ the tests reach, branches too (fails below 95 %)
	@$(BIN)/python -m pytest -n 2 --dist loadfile tests/features tests/examples \
	  --cov=features --cov-branch --cov-report=term-missing:skip-covered --cov-fail-under=95

.PHONY: lint
lint: install-dev ## style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

.PHONY: docs
docs: install ## renew the reference pages in docs/
	@$(BIN)/python docs/generate.py

.PHONY: format
format: install-dev ## put the style right
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

.PHONY: lock
lock: ## renew the locked dependencies (needs uv)
	@uv pip compile pyproject.toml --group build --group dev $(LOCK_OPTIONS) -o requirements-dev.lock
	@uv pip compile pyproject.toml --group build -c requirements-dev.lock $(LOCK_OPTIONS) -o requirements.lock
# A week's cooldown: a release that turns out bad is mostly gone by then.
LOCK_OPTIONS = --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
  --exclude-newer $(shell date -u -d '7 days ago' +%F)

.PHONY: clean
clean: ## remove the environment and everything that was made
	rm -rf $(VENV) var build *.egg-info .pytest_cache .hypothesis .ruff_cache .mypy_cache
