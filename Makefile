# Needs Python 3.11 or newer, git and make; everything else goes into a virtual environment.
#   PYTHON=...  the interpreter to build that environment with
#   VENV=...    where the environment lives
#   ARGS=...    more arguments for pytest
#   SEEDS=...   how many random scripts to compare brokers with

VENV ?= .venv
ARGS ?=
SEEDS ?= 5000
VERSIONS := 3.11 3.12 3.13
NAUTILUS2 := nautilus_trader==2.0.0rc7
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install -qq --disable-pip-version-check
RUN_STAMP := $(VENV)/.installed-run
DEMO_STAMP := $(VENV)/.installed-demo
DEV_STAMP := $(VENV)/.installed-dev
IS_RECENT := import sys; sys.exit(sys.version_info < (3, 11))

.DELETE_ON_ERROR:
.PHONY: help demo test test-all test-nautilus2 fuzz bench lint docs clean interpreter

help:
	@echo "make demo      run the first example"
	@echo "make test      run the tests, with coverage"
	@echo "make test-all  run the tests on Python $(VERSIONS), and NautilusTrader 2.0's"
	@echo "make fuzz      compare our Backtrader broker with the stock one over $(SEEDS) random scripts"
	@echo "make bench     measure speed"
	@echo "make lint      check style, types, spelling and metadata"
	@echo "make docs      build the documentation into build/docs"
	@echo "make clean     remove what the other targets made"

demo: $(DEMO_STAMP)
	@$(PY) docs/examples/first_voyage.py

test: $(DEV_STAMP)
	@$(PY) -Im pytest -q -m "not bench" -n auto --dist worksteal --hypothesis-profile ci --cov $(ARGS)

test-all:
	@failed=""; \
	for version in $(VERSIONS); do \
	  if ! "python$$version" -c '$(IS_RECENT)' >/dev/null 2>&1; then \
	    echo "seatrial: python$$version is missing or does not run"; \
	    failed="$$failed $$version"; \
	    continue; \
	  fi; \
	  echo "== Python $$version"; \
	  $(MAKE) --no-print-directory test VENV=".venv-$$version" PYTHON="python$$version" \
	    || failed="$$failed $$version"; \
	done; \
	echo "== Python 3.13, $(NAUTILUS2)"; \
	$(MAKE) --no-print-directory test-nautilus2 VENV=.venv-nautilus2 PYTHON=python3.13 \
	  || failed="$$failed nautilus2"; \
	if [ -n "$$failed" ]; then echo "seatrial: not passed on:$$failed"; exit 1; fi

# 1.x and 2.0 carry the same import name, so 2.0 lives in an environment without the rest of the tools.
test-nautilus2: $(RUN_STAMP)
	@$(PIP) --pre '$(NAUTILUS2)'
	@$(PIP) 'pytest>=9,<10'
	@$(PY) -Im pytest -q tests/nautilus/v2 $(ARGS)

fuzz: $(DEV_STAMP)
	@$(PY) tests/backtrader/parity/fuzz.py $(SEEDS)

bench: $(DEV_STAMP)
	@$(PY) tests/bench/run.py

lint: $(DEV_STAMP)
	@$(PY) -m ruff check --quiet .
	@$(PY) -m ruff format --check --quiet . \
	  || { echo "seatrial: format with '$(PY) -m ruff format .'"; exit 1; }
	@$(PY) -m mypy --no-error-summary
	@PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(PY) -m pyright --pythonpath $(PY)
	@$(VENV)/bin/codespell
	@$(VENV)/bin/validate-pyproject pyproject.toml
	@echo "lint: clean"

docs: $(DEV_STAMP)
	@$(PY) -m sphinx -n -W --keep-going -q -b html docs build/docs
	@echo "docs: build/docs/index.html"

clean:
	@rm -rf .venv $(addprefix .venv-,$(VERSIONS) nautilus2) build dist htmlcov .coverage .coverage.*
	@rm -rf .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find core adapters plugins tests docs -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment with the tools includes the others, so its install updates all stamps.
$(RUN_STAMP): pyproject.toml | interpreter
	@$(PIP) -e '.[backtrader]'
	@touch $@

# NautilusTrader has wheels for some Pythons only; the demonstration goes on without it.
$(DEMO_STAMP): pyproject.toml | interpreter
	@$(PIP) --only-binary nautilus_trader -e '.[backtrader,nautilus]' 2>/dev/null \
	  || { echo "seatrial: NautilusTrader cannot be installed here"; $(PIP) -e '.[backtrader]'; }
	@touch $@ $(RUN_STAMP)

$(DEV_STAMP): pyproject.toml | interpreter
	@$(PIP) -e '.[dev]'
	@touch $@ $(RUN_STAMP) $(DEMO_STAMP)

# A candidate found on PATH may be a shim that does not run, so each is executed before it is
# believed. An environment built for another interpreter than the one asked for is refused.
interpreter:
	@if [ -e "$(VENV)" ]; then \
	  have=`"$(PY)" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null`; \
	  if [ -z "$$have" ]; then \
	    echo "seatrial: the Python in $(VENV) does not run: remove $(VENV) and try again"; exit 1; \
	  fi; \
	  [ -n "$$PYTHON" ] || exit 0; \
	  want=`"$$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null`; \
	  [ "$$have" = "$$want" ] && exit 0; \
	  echo "seatrial: $(VENV) has Python $$have, PYTHON=$$PYTHON is $${want:-not running}:" \
	    "run 'make clean' first, or give another VENV="; \
	  exit 1; \
	fi; \
	if [ -n "$$PYTHON" ]; then set -- "$$PYTHON"; \
	else set -- python3 python3.13 python3.12 python3.11; fi; \
	for candidate in "$$@"; do \
	  "$$candidate" -c '$(IS_RECENT)' >/dev/null 2>&1 || continue; \
	  if ! "$$candidate" -c 'import ensurepip, venv' >/dev/null 2>&1; then \
	    echo "seatrial: $$candidate lacks the venv module: install it (Debian: python3-venv)"; \
	    exit 1; \
	  fi; \
	  "$$candidate" -m venv "$(VENV)" || { rm -rf "$(VENV)"; exit 1; }; \
	  exit 0; \
	done; \
	echo "seatrial: none of these runs as Python 3.11 or newer: $$*; give one with PYTHON="; \
	exit 1
