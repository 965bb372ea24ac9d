# Every target works alone on a fresh clone: it needs Python 3.11 or newer, make and a package index; `grammar` also needs Java.
#
#   make screen [INPUT=folder, bundle or NDJSON file] [DATE=day]   screen the patients; all of it goes to build/screen.json
#               [PARAMETERS=file]                           what the trials leave open, as JSON
#   make test | check | bench | serve                   the tests; ruff and mypy; the measurements; the HTTP service
#   make grammar | lock | clean                         regenerate the parser; renew requirements.lock; remove what make built

.DEFAULT_GOAL := screen

INPUT ?= fhir_fixtures
OUTPUT ?= build/screen.json
# The day asked about: today, but for the sample patients the day they were made for.
DATE ?= $(if $(filter fhir_fixtures,$(INPUT)),2026-06-15)
# What the trials leave open, by name; the sample patients bring theirs.
PARAMETERS ?= $(if $(filter fhir_fixtures,$(INPUT)),fhir_fixtures/parameters.json)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# The first interpreter that is new enough; python3.11 first, since requirements.lock was made with it.
PYTHON ?= $(shell for candidate in python3.11 python3 python3.12 python3.13 python3.14; do \
	"$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$candidate"; break; }; done)

PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: screen test check bench serve grammar lock clean setup help

screen: $(STAMP)
	@mkdir -p "$(dir $(OUTPUT))"
	@$(BIN)/eligibility screen "$(INPUT)" $(if $(DATE),--screening-date $(DATE)) \
		$(if $(PARAMETERS),--parameters "$(PARAMETERS)") --output "$(OUTPUT)"

test: $(STAMP)
	@$(BIN)/python -m pytest

check: $(STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/mypy

bench: $(STAMP)
	@$(BIN)/python -m bench

serve: $(STAMP)
	@$(BIN)/eligibility serve

grammar: $(STAMP)
	@$(BIN)/python -m engine.language.grammar.generate

# The direct dependencies are pinned in pyproject.toml; this records what they bring along, in an environment of its own.
lock:
	@rm -rf build/lock && mkdir -p build && "$(PYTHON)" -m venv build/lock
	@build/lock/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@{ echo '# Every package of the environment, pinned; made by `make lock`.'; \
	   build/lock/bin/python -m pip freeze --disable-pip-version-check --exclude-editable --exclude pip --exclude setuptools; \
	 } > requirements.lock
	@rm -rf build/lock

clean:
	@rm -rf build dist $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis

setup: $(STAMP)

help:
	@sed -nE '/^$$/q;s/^# ?//p' Makefile

$(STAMP): pyproject.toml requirements.lock
	@test -n "$(PYTHON)" || { echo 'Python 3.11 or newer is needed and none was found; name one with: make PYTHON=/path/to/python3' >&2; exit 1; }
	@echo 'Setting up $(VENV) with the pinned packages (once, and again when the pins change) ...'
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	@$(PIP_INSTALL) --requirement requirements.lock
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@
