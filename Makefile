# Two commands are all a newcomer needs: `make demo` and `make test`.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
# Tests wait more than they work. Those of one file stay together: they share what is slow to start.
AT_ONCE ?= -n 4 --dist loadfile --no-loadscope-reorder
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(CURDIR)/build/pycache

.PHONY: help demo test check fmt bench soak lock clean

help:            ## what there is
	@grep -E '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(STAMP)   ## the main job on real targets: ON=docker|process, KEEP=1 leaves it running
	@$(BIN)/python -m workers.demo

test: $(STAMP)   ## every test, on real components
	@$(BIN)/python -m tests.components
	@$(BIN)/python -m pytest $(AT_ONCE)

check: $(STAMP)  ## format, lint, types, layers
	@$(BIN)/ruff format --check --cache-dir build/ruff .
	@$(BIN)/ruff check --cache-dir build/ruff .
	@$(BIN)/mypy --cache-dir build/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m tests.inventory --check

fmt: $(STAMP)    ## format and fix what can be fixed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix --quiet . || true

bench: $(STAMP)  ## measure, side by side
	@$(BIN)/python -m bench

soak: $(STAMP)   ## the tests that take too long for `make test`
	@FAIRLEAD_SOAK=1 $(BIN)/python -m pytest -m soak

LOCKED := env -u PIP_FIND_LINKS $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate
# Those of an extra's packages that the lock of all has not got.
BESIDE := $(addprefix --no-emit-package ,pyspnego cryptography cffi pycparser)

lock: $(STAMP)   ## make the locks anew
	@$(LOCKED) --group dev pyproject.toml -o requirements.lock
	@echo 'pyspnego[kerberos]' | $(LOCKED) --python-version 3.11 --constraints requirements.lock $(BESIDE) - -o requirements.kerberos.lock
	@$(LOCKED) --python-version 3.11 --group compiling -o requirements.compiling.lock

clean:           ## remove all that the other targets made
	@rm -rf .venv build
