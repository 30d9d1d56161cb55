# Every target sets up what it needs by itself; everything lives in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TESTS_READY := $(VENV)/.tests-ready
LINT_READY := $(VENV)/.lint-ready
DOCS_READY := $(VENV)/.docs-ready
OLDEST := $(VENV)-oldest
INSTALL := -m pip install -qq --disable-pip-version-check
EDITABLE := --no-build-isolation --config-settings editable_mode=compat --editable

.PHONY: help demo test test-pipeline test-oldest lint format golden bench docs man dist clean

help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

$(READY): setup.cfg pyproject.toml
	@echo "Setting up a virtual environment in $(VENV) (once: the network, 600 MB, about a minute) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python $(INSTALL) --upgrade 'pip>=23.1' 'setuptools>=70.1'
	@$(BIN)/python $(INSTALL) $(EDITABLE) '.[mtz]'
	@touch $@

$(TESTS_READY): $(READY)
	@$(BIN)/python $(INSTALL) $(EDITABLE) '.[test,docs]'
	@touch $@

$(LINT_READY): $(READY)
	@$(BIN)/python $(INSTALL) $(EDITABLE) '.[lint]'
	@touch $@

$(DOCS_READY): $(READY)
	@$(BIN)/python $(INSTALL) $(EDITABLE) '.[docs]'
	@touch $@

## make demo    set up, render the protein 1A8O and write a picture of it to demo/
demo: $(READY)
	@sh bin/demo demo

## make test [PYTEST_ARGS='-k golden']
##              set up and run all tests, several at a time
test: $(TESTS_READY)
	@$(BIN)/python -m pytest -n auto --maxprocesses 8 $(PYTEST_ARGS)

## make test-pipeline
##              take a rotation series through DIALS (Debian: apt-get install --no-install-recommends dials)
test-pipeline: $(TESTS_READY)
	@$(BIN)/python -m pytest -m pipeline tests/pipeline

## make test-oldest
##              run all tests with the oldest versions of everything that setup.cfg allows, in $(OLDEST)
test-oldest: $(OLDEST)/.ready
	@$(OLDEST)/bin/python -m pytest -n auto --maxprocesses 8 $(PYTEST_ARGS)

$(OLDEST)/.ready: setup.cfg pyproject.toml tests/oldest.txt
	@echo "Setting up a virtual environment in $(OLDEST) (once, about a minute) ..."
	@$(PYTHON) -m venv --clear $(OLDEST)
	@$(OLDEST)/bin/python $(INSTALL) --upgrade --constraint tests/oldest.txt 'pip>=23.1' setuptools
	@$(OLDEST)/bin/python $(INSTALL) --constraint tests/oldest.txt $(EDITABLE) '.[test]'
	@touch $@

## make lint    check style (ruff), types (mypy) and which part imports which (import-linter)
lint: $(LINT_READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@$(BIN)/mypy

## make format  let ruff rewrite the sources in the project's style
format: $(LINT_READY)
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

## make golden REFERENCE=path/to/nanoBragg [TRACE_REFERENCE=path] [UPDATE=1]
##              check (or record anew) the golden data with a C program
golden: $(READY)
	@test -n "$(REFERENCE)" || { echo "usage: make golden REFERENCE=path/to/nanoBragg [UPDATE=1]" >&2; exit 2; }
	@$(BIN)/python golden/record.py --reference "$(REFERENCE)" \
	  $(if $(TRACE_REFERENCE),--trace-reference "$(TRACE_REFERENCE)") $(if $(UPDATE),--update) $(CASES)

## make bench [BENCH_ARGS='--against C=path/to/nanoBragg --only demo_1a8o']   measure speed
bench: $(READY)
	@$(BIN)/nb-bench $(BENCH_ARGS)

## make docs    build the documentation in site/; open site/index.html
docs: $(DOCS_READY)
	@$(BIN)/python -m mkdocs build --strict --quiet
	@echo "The documentation is in site/index.html"

## make man     write the manual page docs/nanoBragg.1 anew, from the option table
man: $(READY)
	@bin/nanoBragg --man > docs/nanoBragg.1

## make dist    build the source distribution and the wheel in dist/
dist: $(READY)
	@$(BIN)/python $(INSTALL) build
	@rm -rf dist
	@$(BIN)/python -m build --quiet --outdir dist .

clean:
	rm -rf $(VENV) $(OLDEST) demo site build dist *.egg-info
