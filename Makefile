# Each target does its own set-up: `make demo` and `make test` work in a fresh clone and are quick the second time.

PYTHON ?= python3
VENV ?= .venv
# A pinned release, installed first, so that nothing later asks for another one. For a build without CUDA from
# another index: make test TORCH="torch==2.13.0 --index-url ..."
TORCH ?= torch==2.13.0
PYTEST_FLAGS ?=
BENCH ?= speed
# The folder with fer2013.csv, fer2013new.csv and landmarks68.npz, for `make reproduce`; TRAIN_FLAGS are of
# `mien train`: make reproduce DATA=data TRAIN_FLAGS="--device cuda"
DATA ?= $(MIEN_DATA)
RECIPE ?= expression
RUN ?= runs/shipped/$(RECIPE)
TRAIN_FLAGS ?=

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
BROUGHT := src/mien/weights/centerface.onnx src/mien/weights/astronaut.png

.PHONY: demo test lint bench reproduce data-is-there clean

demo: $(VENV)/base
	$(BIN)/mien demo

test: lint
	$(BIN)/python -m pytest $(PYTEST_FLAGS)

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/dev
	$(BIN)/python -m bench $(BENCH)

reproduce: data-is-there $(VENV)/dev
	@echo 'training $(RECIPE) into $(RUN): hours; after a stop the same command goes on ...'
	$(BIN)/mien train $(RECIPE) --data '$(DATA)' --out '$(RUN)' $(TRAIN_FLAGS)
	@echo 'made again: $(RUN)/$(RECIPE).onnx (the shipped file: src/mien/weights/$(RECIPE).onnx)'

data-is-there:
	@test -d '$(DATA)' || { echo 'expected the folder with fer2013.csv, fer2013new.csv and landmarks68.npz,' \
	    'found "$(DATA)"; name it: make reproduce DATA=data (docs/training.md tells where they are from)' >&2; exit 1; }

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache $(BROUGHT) src/mien/weights/licences

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo 'mien needs Python 3.11 or newer as "$(PYTHON)"; name another: make PYTHON=python3.12' >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	    { echo 'mien needs the venv module of "$(PYTHON)"; on Debian or Ubuntu: apt install python3-venv' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/base: pyproject.toml hatch_build.py $(BROUGHT) | $(BIN)/python
	@echo 'installing mien into $(VENV) ...'
	$(PIP) install --editable .
	@touch $@

$(VENV)/dev: pyproject.toml hatch_build.py $(BROUGHT) | $(BIN)/python
	@echo 'installing mien and its development tools into $(VENV): a few minutes the first time ...'
	$(PIP) install $(TORCH)
	$(PIP) install --editable '.[dev,train,video,serve]'
	@touch $@ $(VENV)/base

# Written by the install; where one is missing, this empty rule has it run again.
$(BROUGHT): ;
