# setup      make .venv and install everything in it (done by the other targets when needed)
# demo       a short tour on real data
# test       the tests; needs Python alone
# test-all   the long ones as well
# lint       style, format and types; needs Node.js as well
# bench      timings
# clean      remove what the targets above made, except downloads (.venv, node_modules)

PYTHON ?= python3
TORCH  ?= torch==2.13.0

VENV := .venv
BIN  := $(VENV)/bin

.PHONY: setup demo test test-all lint bench clean
.DEFAULT_GOAL := setup

setup: .make/setup

demo: .make/setup
	@$(BIN)/python examples/demo.py

test: .make/setup
	@$(BIN)/python -m pytest -m "not slow"

test-all: .make/setup
	@$(BIN)/python -m pytest

bench: .make/setup
	@$(BIN)/python benchmarks/check.py
	@$(BIN)/python benchmarks/editor.py
	@$(BIN)/python benchmarks/training.py

lint: .make/setup .make/node
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@npx --no-install pyright

clean:
	rm -rf .make .pytest_cache .ruff_cache .hypothesis build dist *.egg-info
	rm -rf examples/*/models examples/*/out
	find server runtime tests examples benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# A second run finds the stamp and does nothing. Each step says what is missing before it fails.
.make/setup: pyproject.toml constraints.txt | .make/venv
	@$(BIN)/python -c 'import torch' 2>/dev/null || { \
	  echo 'Installing PyTorch from the package index that your pip is configured for. The build for the CPU is a download'; \
	  echo 'of about 200 MB; where that index has no such build, the usual one for Linux brings several GB of CUDA libraries.'; \
	  $(BIN)/python -m pip install '$(TORCH)'; }
	@echo 'Installing bsls and its tools.'
	@$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[train,dev]'
	@touch $@

.make/venv:
	@mkdir -p .make
	@command -v $(PYTHON) >/dev/null || { \
	  echo 'error: $(PYTHON) not found: install Python 3.11 or newer, or name it: make PYTHON=/path/to/python'; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: $$($(PYTHON) --version) is too old, 3.11 or newer is needed; name another one: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "error: $$($(PYTHON) --version) has no venv with pip; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@test -x $(BIN)/python || { echo 'Making $(VENV).'; $(PYTHON) -m venv $(VENV); }
	@touch $@

.make/node: package.json package-lock.json
	@command -v npm >/dev/null || { \
	  echo 'error: npm not found: `make lint` needs Node.js 20 or newer, for the type checker pyright; nothing else does'; exit 1; }
	@node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' || { \
	  echo "error: Node.js $$(node --version) is too old for \`make lint\`: 20 or newer is needed, for the type checker pyright"; exit 1; }
	@mkdir -p .make
	@npm ci --silent
	@touch $@
