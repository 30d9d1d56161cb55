# `make demo` and `make test` set a fresh machine up by themselves; everything lives in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DOCS_READY := $(VENV)/.docs-ready

.PHONY: help demo test lint format golden bench docs clean

help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

$(READY): setup.cfg pyproject.toml
	@echo "Setting up a virtual environment in $(VENV) (once, about a minute) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --upgrade 'pip>=23.1' 'setuptools>=64'
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --config-settings editable_mode=compat --editable '.[test]'
	@touch $@

## make demo    set up, render the protein 1A8O and write a picture of it to demo/
demo: $(READY)
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh bin/demo demo

## make test    set up and run all tests
test: $(READY)
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

## make lint    check style with ruff
lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

## make format  let ruff rewrite the sources in the project's style
format: $(READY)
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

$(DOCS_READY): $(READY)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --config-settings editable_mode=compat --editable '.[docs]'
	@touch $@

## make docs    build the documentation in site/; open site/index.html
docs: $(DOCS_READY)
	@$(BIN)/python -m mkdocs build --strict --quiet
	@echo "The documentation is in site/index.html"

clean:
	rm -rf $(VENV) demo site build dist *.egg-info
