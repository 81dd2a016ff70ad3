# `make demo` builds a graph, `make test` tests everything; both set up the environment first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test lint fast benchmark-critic clean

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	touch $(STAMP)

demo: $(STAMP)
	$(BIN)/kgbuild models get smollm2
	$(BIN)/kgbuild build data/configs/demo.yaml

test: $(STAMP)
	$(BIN)/kgbuild models get smollm2
	$(BIN)/python -m pytest

fast: $(STAMP)
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not model and not slow and not neo4j"

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy kgbuild
	$(BIN)/lint-imports

# make benchmark-critic DATA=DIR: DIR holds the folders of the public benchmarks.
benchmark-critic: $(STAMP)
	$(BIN)/kgbuild models get smollm2
	$(BIN)/python benchmarks/critic.py --data "$(or $(DATA),$(error DATA names the folder of the public benchmarks))"

clean:
	rm -rf $(VENV) data/runs
