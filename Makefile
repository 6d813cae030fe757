# The everyday commands. Each sets up what it needs; a second run installs nothing.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CLUSTER_STAMP := $(VENV)/.installed-cluster
EVERY_PYTEST := $(BIN)/python -m pytest --dist loadfile
PYTEST := $(EVERY_PYTEST) --ignore=tests/plugins/operations/cluster
WAITING := -n $(or $(PROCESSES),6) # three to a core: many wait for a server or a browser
WORKING := -n $(or $(PROCESSES),logical) # one to a core: none waits, and each begins by reading all the tests

# What one process compiles, the next one reads: tests start hundreds.
unexport PYTHONDONTWRITEBYTECODE

# Nothing is fetched or reported at run time.
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export DO_NOT_TRACK := true
export MLFLOW_DISABLE_TELEMETRY := true
export DASH_DISABLE_VERSION_CHECK := true

# On the shelf that is full each morning, and on that where stock lives, in memory alone; then from a price book.
define SELL_A_DAY
import datetime as dt
from catalog.load import CLASSIC, load
from serving.book.book import book_from_table, book_to_table
from serving.optimise.policies import policy_without_model
from serving.store.storefront import storefront_before_champion
from serving.book.make import tabulate
from etl.twin.store_day import play
for shelf in (load(CLASSIC), load()):
    play(shelf, storefront_before_champion(shelf), shelf.store.stores, dt.date(2026, 1, 5), 1)
    book = tabulate(policy_without_model(shelf), shelf, dt.datetime(2026, 1, 5, tzinfo=dt.UTC))
    book_from_table(book_to_table(book)).at(0, 1, 1)
endef
export SELL_A_DAY

.PHONY: help install install-cluster demo up cluster collected tests-to-land test test-server test-play test-slow test-cluster nightly check browser lint types contracts sql bench faults screenshots cookbook lock docs clean

help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP) ## Create .venv with the locked packages and this project

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
	  || { echo "Shelfprice needs Python 3.11 to 3.13; $(PYTHON) is $$($(PYTHON) --version). Set PYTHON=python3.11" >&2; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip install --quiet --compile-bytecode --require-hashes --python $(BIN)/python -r requirements.lock
	@$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python -e .
	@$(BIN)/python -c "from plugins.operations.up import prefect_server; prefect_server.keep_first_database()" # for all homes, once
	@$(BIN)/python -c "$$SELL_A_DAY" # what Numba compiles then, every later process reads
	@touch $@

install-cluster: install $(CLUSTER_STAMP) ## Add what more than one machine needs: Dask, Delta Lake, an object store, PostgreSQL

$(CLUSTER_STAMP): requirements-cluster.lock $(STAMP)
	@$(BIN)/uv pip install --quiet --compile-bytecode --require-hashes --python $(BIN)/python -r requirements-cluster.lock
	@touch $@

demo: install ## Play three stores for a week: sell and learn by the hour, train and judge by night
	@$(BIN)/shelfprice demo

up: install ## Start Prefect, MLflow, a worker with the deployments and the monitor; Ctrl-C stops all
	@$(BIN)/shelfprice up

cluster: install-cluster ## Start PostgreSQL, an object store, Dask and `up` on this machine; WORKERS=4 starts more workers
	@$(BIN)/python -m plugins.operations.deploy.cluster --workers $(or $(WORKERS),2)

test: install ## Run the tests of core and plugins that need no server, no browser and no minutes of play: about 6 minutes
	@$(PYTEST) $(WORKING) -m "not slow and not server and not play"

test-server: install browser ## Run the tests that start Prefect, other services and a browser, or kill what runs
	@$(PYTEST) $(WAITING) -m "server and not slow"

test-play: install ## Run the tests that play or learn for minutes
	@$(PYTEST) $(WORKING) -m "play and not server and not slow"

test-slow: install ## Run the tests that take long for what they add: whole guides, aged lakes, sixty days, comparisons
	@$(PYTEST) $(WAITING) -m slow

test-cluster: install-cluster ## Run the tests on a real object store, PostgreSQL (apt-get install postgresql) and Dask
	@CLUSTER=required $(EVERY_PYTEST) -n $(or $(PROCESSES),3) -m "$(or $(MARKS),not slow)" tests/plugins/operations/cluster tests/warehouse/test_locks_of_all_machines.py tests/plugins/operations/up/test_database.py

nightly: test-slow ## What takes too long for each change: the slow tests, those on a cluster too, and `types` and `test` on the newest Python (NEWEST=python3.13)
	@$(MAKE) --no-print-directory test-cluster MARKS=slow
	@$(MAKE) --no-print-directory VENV=$(VENV)-newest PYTHON=$(or $(NEWEST),python3.13) types test

check: install browser ## Everything that must be green before a change lands: all of these tests in one run, about 25 minutes
	@$(MAKE) --no-print-directory -j2 contracts collected lint
	@$(MAKE) --no-print-directory -j3 types sql tests-to-land # types and SQL are read while the first tests wait

collected: install # by one process, so that each of six reads the compiled tests; a test that cannot be is told by the run
	@$(PYTEST) -n 0 --collect-only -qq >/dev/null || true

tests-to-land:
	@$(PYTEST) $(WAITING) -m "not slow"

browser: install
	@$(BIN)/python -m plugins.evaluation.bench.browser >/dev/null || true # fetched where none is found; without one, its tests are skipped

lint: install
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/codespell

types: install
	@$(BIN)/mypy

contracts: install
	@$(BIN)/lint-imports

sql: install
	@$(BIN)/sqlfluff lint --disable-progress-bar dashboard etl features flows plugins serving training warehouse

bench: install ## Measure every stage against what one would otherwise do
	@$(BIN)/python -m plugins.evaluation.bench

faults: install ## Kill, fill the disk, flip bits, race, ask 10,000 states what holds; FAULTS="--kills 100" tries fewer
	@$(BIN)/python -m tests.standing --states $(or $(STATES),10000)
	@$(BIN)/python -m tests.faults $(FAULTS)

screenshots: install ## Picture every page of the monitor over the data at hand
	@$(BIN)/python -m plugins.evaluation.bench.screenshots

cookbook: install ## Answer the questions of the SQL cookbook anew, from the lake that the page describes
	@$(BIN)/python -m plugins.evaluation.bench.cookbook

lock: install ## Resolve the locked requirements anew: for one machine, for more, and for the image
	@$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
	  --no-header --quiet -o requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --extra dev --extra cluster --universal --python-version 3.11 \
	  --constraint requirements.lock --generate-hashes --no-header --quiet -o requirements-cluster.lock
	@$(BIN)/uv pip compile pyproject.toml deploy/build.in --extra cluster --universal --python-version 3.11 \
	  --constraint requirements-cluster.lock --generate-hashes --no-header --quiet -o deploy/requirements.lock

docs: install ## Write the data dictionary and the configuration reference from the catalog
	@$(BIN)/python -m catalog.tables.contracts > docs/data-dictionary.md
	@$(BIN)/python -m plugins.operations.configuration > docs/configuration.md

clean: ## Remove generated data and the virtual environment
	rm -rf data $(VENV) $(VENV)-newest
