# Two commands do all the set-up on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
RESULTS ?= results/local
PLAN ?= benchmarks/few_shot.yaml
SITE ?= site

.PHONY: demo test lint types check docs bench bench-rows publish clean
.DELETE_ON_ERROR:

demo: $(VENV)/.run
	$(BIN)/ordbench run --head linear,coral,mean-variance,coop,ordinalclip,zeroshot \
	    --dataset drawn-faces,drawn-fruit --shots 1,4,16 --seeds 0-2 --jobs 2 --results $(RESULTS)
	$(BIN)/ordbench table $(RESULTS)

test: $(VENV)/.test
	$(BIN)/python -m pytest -n 2 --dist worksteal

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache --no-logo

types: $(VENV)/.test
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python

check: lint types test

# Builds without a network; a warning, such as a link that leads nowhere, is an error.
docs: $(VENV)/.test
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --site-dir $(SITE)

bench: $(VENV)/.test
	mkdir -p .benchmarks
	ORDBENCH_PLAN=$(PLAN) $(BIN)/python -m pytest benchmarks --benchmark-only \
	    --benchmark-json=.benchmarks/last.json
	$(BIN)/python benchmarks/report.py .benchmarks/last.json > benchmarks/RESULTS.md

bench-rows: $(VENV)/.test
	mkdir -p .benchmarks
	ORDBENCH_ROWS=1000000 $(BIN)/python -m pytest benchmarks/test_scaling.py -k test_dataset \
	    --benchmark-only --benchmark-json=.benchmarks/rows.json
	$(BIN)/python benchmarks/report.py .benchmarks/rows.json > benchmarks/ROWS.md

publish: demo $(VENV)/.test
	$(BIN)/ordbench results publish $(RESULTS) results/demo --title "The demo's leaderboard" \
	    --command "make demo" --readme README.md --mark demo
	$(BIN)/ordbench plot curve results/demo --output results/demo/curve.svg

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=24"

$(VENV)/.run: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/.test: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[test]"
	touch $@ $(VENV)/.run

clean:
	rm -rf $(VENV) build dist site *.egg-info .pytest_cache .mypy_cache .ruff_cache
