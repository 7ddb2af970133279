# make report | make test | make lint: each sets up .venv by itself the first time.
PYTHON ?= python3
CONFIG ?= config/config.yaml
CORES ?= all
BIN := .venv/bin

.PHONY: report test lint clean

report: .venv/ready $(CONFIG)
	$(BIN)/snakemake --cores $(CORES) --configfile $(CONFIG) $(ARGS)

test: .venv/ready-dev
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile $(ARGS)

lint: .venv/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

.venv/ready: envs/requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "softbio needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -r envs/requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

.venv/ready-dev: .venv/ready envs/requirements-dev.txt
	$(BIN)/python -m pip install --quiet -r envs/requirements-dev.txt
	touch $@

# Results and packed data; the environment and what was fetched stay.
clean:
	rm -rf results/quick resources/packed logs

.PHONY: docs lock
# The parameter tables of config/README.md, from the schemas.
docs: .venv/ready
	$(BIN)/python -m softbio.parameters

# Resolve the requirements anew.
lock:
	PYTHON=$(PYTHON) sh envs/lock.sh
