# setup        make .venv and install everything in it (done by the other targets when needed)
# demo         a short tour on real data
# test         the tests; those in VS Code, Neovim and Emacs are left out where these or Node.js are missing
# test-all     the long ones as well; those that read a checkout of CNTK 2.7 do so where BSLS_CNTK=FOLDER names one
# lint         style, format and types; needs Node.js as well
# vsix         the extension for VS Code, as dist/brainscript.vsix; needs Node.js as well
# test-vscode  the extension in a real VS Code without a window; needs Node.js and Chromium as well
# bench        timings
# clean        remove what the targets above made, except downloads (.venv, node_modules)

PYTHON ?= python3
TORCH  ?= torch==2.13.0

VENV := .venv
BIN  := $(VENV)/bin
VSIX := dist/brainscript.vsix

.PHONY: setup demo test test-all lint vsix test-vscode bench clean
.DEFAULT_GOAL := setup

setup: .make/setup

demo: .make/setup
	@$(BIN)/python examples/demo.py

test: .make/setup .make/editors
	@$(BIN)/python -m pytest -m "not slow"

test-all: .make/setup .make/editors
	@$(BIN)/python -m pytest --hypothesis-profile=default

bench: .make/setup
	@$(BIN)/python benchmarks/check.py
	@$(BIN)/python benchmarks/network.py
	@$(BIN)/python benchmarks/modelfile.py
	@$(BIN)/python benchmarks/editor.py
	@$(BIN)/python benchmarks/training.py
	@$(BIN)/python benchmarks/overhead.py
	@$(BIN)/python benchmarks/engine.py

lint: .make/setup .make/node
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@npx --no-install pyright
	@npm run --silent --workspace vscode-client lint
	@npm run --silent --workspace vscode-client test

vsix: $(VSIX)

test-vscode: .make/setup .make/e2e $(VSIX)
	@cd tests/e2e && node run.mjs ../../$(VSIX) ../../$(BIN)/python ../../build/screenshots

clean:
	rm -rf .make .pytest_cache .ruff_cache .hypothesis build dist *.egg-info
	rm -rf examples/*/data examples/*/models examples/*/out
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

$(VSIX): $(shell find server runtime vscode-client -type f -not -name '*.pyc') pyproject.toml constraints.txt | .make/venv .make/node
	@vscode-client/package.sh $(BIN)/python $@

# Editors for the tests, from Debian's packages; only root can install them, everybody else is told how.
EDITORS := chromium fonts-dejavu-core neovim emacs-nox elpa-eglot
.make/editors: | .make/venv
	@if (for c in chromium nvim emacs; do command -v $$c || exit 1; done) >/dev/null; then touch $@; \
	elif test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
	  echo 'Installing the editors in which the language server is tested.'; \
	  install='apt-get install -y -qq --no-install-recommends $(EDITORS)'; export DEBIAN_FRONTEND=noninteractive; \
	  { $$install || { apt-get update -qq && $$install; }; } >/dev/null 2>&1 && touch $@ \
	    || echo 'They cannot be installed; the tests in them are left out.'; \
	else echo 'The tests in editors that are missing are left out; to have them: apt install $(EDITORS)'; fi

# The VS Code that the tests drive: a download of about 100 MB, and 600 MB on disk.
.make/e2e: tests/e2e/package.json tests/e2e/package-lock.json tests/e2e/set-up.sh | .make/node
	@test "$$(uname -s)-$$(uname -m)" = Linux-x86_64 || { echo 'error: `make test-vscode` needs Linux on x86-64'; exit 1; }
	@for c in $${CHROMIUM:-chromium chromium-browser google-chrome}; do command -v $$c; done | grep -q . || { \
	  echo 'error: chromium not found, which shows VS Code in the tests; on Debian and Ubuntu: apt install chromium fonts-dejavu-core,'; \
	  echo 'or name another one: make test-vscode CHROMIUM=/usr/bin/google-chrome'; exit 1; }
	@for c in python3 g++; do command -v $$c >/dev/null || { \
	  echo "error: $$c not found, which builds two modules of VS Code; on Debian and Ubuntu: apt install python3 g++"; exit 1; }; done
	@echo 'Installing VS Code for the tests.'
	@tests/e2e/set-up.sh
	@touch $@

.make/node: package.json vscode-client/package.json package-lock.json
	@command -v npm >/dev/null || { \
	  echo 'error: npm not found: Node.js 20 or newer is needed for the extension for VS Code, and for the type checkers of `make lint`'; exit 1; }
	@node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' || { \
	  echo "error: Node.js $$(node --version) is too old: 20 or newer is needed"; exit 1; }
	@mkdir -p .make
	@npm ci --silent
	@touch $@
