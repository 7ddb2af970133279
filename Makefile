# make report | make test | make lint: each sets up .venv by itself the first time.
PYTHON ?= python3
CONFIG ?= config/config.yaml
CORES ?= all
BIN := .venv/bin

.PHONY: report test test-slurm evaluators-check bench lint clean

report: .venv/ready $(CONFIG)
	$(BIN)/snakemake --cores $(CORES) --configfile $(CONFIG) $(ARGS)

test: .venv/ready-dev
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder $(ARGS)

# Starts a real Slurm on this machine for a few minutes: needs root and Debian's slurm packages.
test-slurm: .venv/ready-dev
	SOFTBIO_TEST_SLURM=1 $(BIN)/python -m pytest tests/slurm $(ARGS)

# Third-party evaluators on clean LFW and CelebA, beside what they are expected to reach; fetches the
# packages first. Looks in ../shared/datasets/lfw and ../shared/datasets/celeba, skips where one is
# missing. ARGS="--pairs 300" takes all pairs of a fold (half an hour).
evaluators-check: .venv/ready-dev
	$(BIN)/snakemake --cores 1 evaluators
	$(BIN)/python -m pytest tests/evaluators -s $(ARGS)

# On a GPU an epoch has 50,000 images at least: fewer are a few steps.
# Rates of training beside a ceiling and the published data path, of packing, the effect of keeping
# freed memory, and what the workflow itself costs.
bench: .venv/ready-dev
	$(BIN)/python benchmarks/throughput.py --backbone small16 --size 48 --crop 44 --batch 128 --images 12800 $(ARGS)
	$(BIN)/python benchmarks/throughput.py --backbone resnet34 --precision bf16 --images 1024 --seconds 15 $(ARGS)
	$(BIN)/python benchmarks/packing.py
	$(BIN)/python benchmarks/privacy_step.py
	$(BIN)/python benchmarks/allocator.py
	$(BIN)/python -m benchmarks.intervals
	$(BIN)/python benchmarks/workflow_cost.py

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

# The quick benchmark's results and the images drawn for it. What was packed of other data sets stays:
# packed anew, it would train every run on it again.
clean:
	rm -rf results/quick logs
	rm -rf resources/packed/faces resources/packed/faces-repaired resources/aligned/portraits resources/faces/portraits

.PHONY: docs lock
# The parameter tables of config/README.md, from the schemas; those of docs/datasets.md, from the registry.
docs: .venv/ready
	$(BIN)/python -m softbio.parameters
	$(BIN)/python -m softbio.catalogue

# Resolve the requirements anew.
lock:
	PYTHON=$(PYTHON) sh envs/lock.sh
