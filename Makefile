# Thin calls only. PYTHON: the interpreter for .venv. SYSTEM_SITE_PACKAGES=1: use the torch and
# detectron2 that it already has. SITE and DATA: where and on what `make demo` runs; devcluster is a
# Slurm of its own on this machine, for as long as the demo takes.
PYTHON ?= python3
SITE ?= local
DATA ?=
BIN := .venv/bin
READY := .venv/.ready

.PHONY: setup demo test test-fast lint bench chaos notebooks

FOUND := import importlib.util, sys; sys.exit(importlib.util.find_spec("detectron2") is None)

setup: $(READY)
	@$(BIN)/python -c '$(FOUND)' || { rm $(READY) && $(MAKE) setup; }

$(READY): pyproject.toml constraints.txt detectron2.txt
	test -x $(BIN)/pip || $(PYTHON) -m venv $(if $(SYSTEM_SITE_PACKAGES),--system-site-packages) .venv
	$(BIN)/python -m pip install $(if $(SYSTEM_SITE_PACKAGES),,-c constraints.txt) -e '.[dev]'
	$(BIN)/python -c '$(FOUND)' || $(BIN)/python -m pip install --no-deps \
		--only-binary=:all: --python-version 3.10 --require-hashes -r detectron2.txt \
		--target "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
	touch $@

demo: setup
	$(if $(filter devcluster,$(SITE)),$(BIN)/python -m slurm.devcluster with --) $(BIN)/harness demo --site $(SITE) $(if $(DATA),--data "$(DATA)")

test: setup
	$(BIN)/python -m pytest --cov=harness

test-fast: setup
	$(BIN)/python -m pytest -m 'not slow'

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: setup
	for file in tests/benchmarks/bench_*.py; do $(BIN)/python $$file || exit 1; done

chaos: setup
	$(BIN)/python -m tests.chaos.campaign

notebooks: setup
	$(BIN)/python -m pip install $(if $(SYSTEM_SITE_PACKAGES),,-c constraints.txt) -e '.[notebooks]'
	$(BIN)/jupyter lab --notebook-dir notebooks
