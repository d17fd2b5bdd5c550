# The two commands are `make run` and `make test`; `make install` does the set-up alone.
PYTHON ?= $(firstword $(foreach p,python3.13 python3.12 python3.11 python3,$(if $(shell command -v $(p) 2>/dev/null && $(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null),$(p))) python3)
BIN := .venv/bin

.PHONY: run install test lint faults bench screenshots bundle clean

run: .venv/installed
	@$(BIN)/playground

install: .venv/installed

.venv/installed: pyproject.toml packaging/bootstrap.py
	@$(PYTHON) packaging/bootstrap.py install

.venv/installed-test: .venv/installed
	@$(PYTHON) packaging/bootstrap.py test

lint: .venv/installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# What needs no model runs two at a time; engines and whole windows get the machine for themselves. Both always run.
test: lint
	@failed=0; \
	$(BIN)/python -m pytest -n 2 --dist loadfile tests/unit tests/ui || failed=1; \
	$(BIN)/python -m pytest tests/engine tests/end_to_end || failed=1; \
	exit $$failed

# About an hour of broken files, killed engines, full disks and the like; `make test` has a few of each.
faults: .venv/installed-test
	$(BIN)/python -m tests.faults $(FAULTS)

bench: .venv/installed-test
	$(BIN)/python benchmarks/spine.py

screenshots: .venv/installed-test
	$(BIN)/python packaging/screenshots.py

# One folder that runs without Python, in build/bundle/playground; then the same smoke test as this tree's.
bundle: .venv/installed-test
	@$(PYTHON) packaging/bootstrap.py bundle
	$(BIN)/python packaging/bundle.py
	PLAYGROUND_BUNDLE=build/bundle/playground $(BIN)/python -m pytest tests/end_to_end/test_smoke.py

clean:
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache
