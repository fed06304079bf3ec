# Everything that a person does with this checkout; each target sets up what it needs.
PYTHON ?= python3
CORES ?= 2
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
READY := $(VENV)/.ready
SHELLS := bash zsh fish
export PATH := $(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help venv demo synthetic test check bench completions clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: $(READY) ## Install idkit and all it needs into .venv
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "idkit needs Python 3.11 or newer: make PYTHON=python3.11")'
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: venv ## Run the main job on real data, from training to figures and a verdict
	CORES=$(CORES) sh examples/demo.sh $(CURDIR)/demo

synthetic: venv ## Run the paper's synthetic study (hours; goes on where it was stopped)
	CORES=$(CORES) sh examples/synthetic.sh $(CURDIR)/synthetic

test: venv ## Run the tests
	pytest -n $(CORES)

check: venv ## Lint, check the format and the types
	ruff check .
	ruff format --check .
	mypy

bench: venv ## Measure the speeds that the README names
	for file in benchmarks/*.py; do python $$file || exit; done

completions: venv ## Write the completion scripts of bash, zsh and fish
	for shell in $(SHELLS); do _IDKIT_COMPLETE=source_$$shell idkit > completions/idkit.$$shell; done

clean: ## Remove what the other targets made
	rm -rf $(VENV) demo build dist .mypy_cache .ruff_cache .pytest_cache
