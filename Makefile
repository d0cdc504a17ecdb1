# `make repro` and `make test` do everything on a machine with python3 (3.11 or newer), git and make.
PYTHON ?= python3
BIN := $(CURDIR)/.venv/bin
# uv from the PATH or, where there is none, from a small environment of its own
UV := $(shell command -v uv || echo .venv-uv/bin/uv)
export PATH := $(BIN):$(PATH)

.PHONY: repro eras report experiments test tests-of-pipeline tests-of-parity tests-of-keras tests-of-torch other-tests \
	yardsticks benchmark cluster deps docs lock clean

# a ZIP archive of the repository has no git, which DVC must be told
repro: .venv/installed
	@git rev-parse --git-dir > /dev/null 2>&1 || printf '[core]\n    no_scm = true\n' > .dvc/config.local
	python -m stages.check  # DVC does not look into linked folders: a new one in data.folder would go unnoticed
	dvc repro
	@echo "The report: file://$(CURDIR)/reports/index.html"

# what changed in each framework since 2018, on the images of the last run; about ten minutes
eras: .venv/installed
	dvc repro eras/dvc.yaml

# accuracies, verdict and what was changed of every `dvc exp run`, in 160 columns: neither the other metrics, which are
# files of one value, nor hashes of files
experiments: .venv/installed
	dvc exp show --only-changed --drop 'Created|low$$|high$$|p$$|[a-z]+/'

# in several processes, two at a time: each framework needs one of its own, and few tests use both cores
# not mixed, where make can do that (4.0 or newer)
SYNC := $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)
PIPELINE := tests/test_pipeline.py tests/test_dependencies.py tests/test_experiments.py tests/test_remote.py \
	tests/test_cluster.py
PARITY := tests/test_parity.py tests/test_heads.py

test: .venv/installed
	$(MAKE) --jobs 2 --keep-going $(SYNC) tests-of-pipeline tests-of-parity tests-of-keras \
		tests-of-torch other-tests

tests-of-pipeline:
	pytest $(PIPELINE)

tests-of-parity:
	pytest $(PARITY)

tests-of-keras:
	pytest tests/frameworks --competitor keras

tests-of-torch:
	pytest tests/frameworks --competitor torch

other-tests:
	pytest $(addprefix --ignore=,$(PIPELINE) $(PARITY))
	mypy

# what changed since another revision: report.md
REV ?= main
report: .venv/installed
	python -m versus report $(REV)

# does the pipeline do what the frameworks' own recipes do? After `dvc repro`; ERA is conventions.era of its run
FOLDER ?= data/split
ERA ?= today
yardsticks: .venv/installed
	python -m benchmark.recipes.run $(FOLDER) --era $(ERA)

# which framework is faster, and what the pipeline saves, on the images of the last run: README.md, docs/speed.md and the
# next report show it. Half an hour; nothing else should run. Only these stages, not what they depend on
REPEATS ?= 3
benchmark: .venv/installed
	FOLDER=$(FOLDER) REPEATS=$(REPEATS) dvc repro --single-item --force benchmark/speed/dvc.yaml
	python -m versus.report.documentation

# a Ray cluster for compute.cluster: its head here or, with HEAD=HOST:6379, one more node. See docs/cluster.md
cluster: .venv/installed
	RAY_USAGE_STATS_ENABLED=0 ray start $(if $(HEAD),--address=$(HEAD),--head)

# after a change of imports: the lists of modules in dvc.yaml
deps: .venv/installed
	python -m tests.helpers.deps

# after a change of metrics or of frameworks/{keras,torch}: tables and plots of README.md and docs/, notebooks/
docs: .venv/installed
	python -m versus.report.documentation
	python -m versus.report.notebooks

# compiled at once: each stage is a process of its own, which would compile again where bytecode is not written
.venv/installed: requirements.lock | $(UV)
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv
	$(UV) pip sync --quiet --python .venv --compile-bytecode --require-hashes requirements.lock
	touch $@

.venv-uv/bin/uv:
	$(PYTHON) -m venv .venv-uv
	.venv-uv/bin/pip install --quiet 'uv>=0.5'

# after a change of dependencies in pyproject.toml; UPGRADE=--upgrade takes the newest versions of all packages
lock: | $(UV)
	$(UV) pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-header \
		--quiet $(UPGRADE) --output-file requirements.lock

clean:
	rm -rf .venv .venv-uv
