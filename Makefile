# `make repro` and `make test` do everything on a machine with python3 (3.11 or newer), git and make.
PYTHON ?= python3
BIN := $(CURDIR)/.venv/bin
# uv from the PATH or, where there is none, from a small environment of its own
UV := $(shell command -v uv || echo $(CURDIR)/.venv-uv/bin/uv)
export PATH := $(BIN):$(PATH)

.PHONY: repro test lock clean

repro: .venv/installed
	dvc repro

test: .venv/installed
	pytest
	pytest -o addopts=-q $(wildcard tests/test_*_keras.py)
	pytest -o addopts=-q $(wildcard tests/test_*_torch.py)

# compiled at once: each stage is a process of its own, which would compile again where bytecode is not written
.venv/installed: requirements.lock | $(UV)
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv
	$(UV) pip sync --quiet --python .venv --compile-bytecode --require-hashes requirements.lock
	touch $@

$(CURDIR)/.venv-uv/bin/uv:
	$(PYTHON) -m venv .venv-uv
	.venv-uv/bin/pip install --quiet 'uv>=0.5'

# after a change of dependencies in pyproject.toml
lock: | $(UV)
	$(UV) pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-header \
		--quiet --output-file requirements.lock

clean:
	rm -rf .venv .venv-uv
