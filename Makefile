# `make run` and `make test` need nothing but Python 3.11 or newer; all they install goes to .venv.

PORT ?= 8000
PYTHON := .venv/bin/python
PYTEST := $(PYTHON) -m pytest
PIP := $(PYTHON) -m pip --disable-pip-version-check --quiet
PARTS := --ignore=tests/browser --ignore=tests/chaos --ignore=tests/bench --ignore=tests/soak
COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes --no-header -q pyproject.toml

.PHONY: run test test-sqlite test-postgresql test-browser test-chaos check bench soak lock

run: .venv/runs
	@exec $(PYTHON) manage.py up --port $(PORT)

test: test-sqlite test-postgresql test-browser test-chaos

test-sqlite: .venv/tests
	@echo "== The suite on SQLite"
	@DATABASE_URL= $(PYTEST) -n auto -rs $(PARTS)

test-browser: .venv/tests $(if $(shell command -v npm),tests/browser/node_modules/installed)
	@echo "== The browser"
	@DATABASE_URL= $(PYTEST) -n 2 -rs tests/browser

test-chaos: .venv/tests
	@echo "== Chaos on SQLite"
	@DATABASE_URL= $(PYTEST) -n 3 -rs tests/chaos
ifneq ($(TEST_DATABASE_URL),)
	@echo "== Chaos on PostgreSQL"
	@DATABASE_URL="$(TEST_DATABASE_URL)" $(PYTEST) -n 3 -rs tests/chaos
else
	@echo "== Left out: chaos on PostgreSQL, because TEST_DATABASE_URL does not say where it is"
endif

test-postgresql: .venv/tests
ifneq ($(TEST_DATABASE_URL),)
	@echo "== The suite on PostgreSQL"
	@DATABASE_URL="$(TEST_DATABASE_URL)" $(PYTEST) -n auto -rs $(PARTS)
else ifneq ($(REQUIRE_ALL),)
	@echo "PostgreSQL is required, and TEST_DATABASE_URL does not say where it is." >&2; exit 1
else
	@echo "== Left out: the suite on PostgreSQL, because TEST_DATABASE_URL does not say where it is"
endif

check: .venv/tests
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy
	@.venv/bin/lint-imports

bench: .venv/bench
	@$(PYTHON) -m tests.bench

soak: .venv/tests
	@$(PYTHON) -m tests.soak

lock:
	$(COMPILE) -o requirements.lock
	$(COMPILE) --group test -o requirements-test.lock
	$(COMPILE) --group bench -o tests/bench/requirements.lock

# Installing happens again only when a lock file has changed. ------------------------------------------------------

.venv/runs: requirements.lock | .venv/made
	@echo "Installing what the locked requirements name; this happens once."
	@$(PIP) install --require-hashes -r requirements.lock
	@touch $@

.venv/tests: requirements-test.lock | .venv/made
	@echo "Installing the test tools; this happens once."
	@$(PIP) install --require-hashes -r requirements-test.lock
	@touch $@ .venv/runs

.venv/bench: tests/bench/requirements.lock | .venv/made
	@echo "Installing what the bench measures beside; this happens once."
	@$(PIP) install --require-hashes -r tests/bench/requirements.lock
	@touch $@ .venv/tests .venv/runs

.venv/made:
	@for python in python3.11 python3 python; do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    $$python -m venv .venv && touch $@; exit; \
	  fi; \
	done; echo "Python 3.11 or newer is needed, and there is none in PATH." >&2; exit 1

tests/browser/node_modules/installed: tests/browser/package-lock.json
	@cd tests/browser && npm ci --silent --no-audit --no-fund
	@touch $@
