# The door to everything. `make demo` and `make test` need only Python 3.11 or newer.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
OUT    ?= acrmock-out
JOBS   ?= 4

.PHONY: help demo test lint witnesses bench lock schemas clean

help:             ## list what can be made
	@grep -E '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+): .*## /make \1\t/'

demo: $(VENV)/run.done   ## install, then run the reference vendor against the mock and judge it
	$(BIN)/acrmock demo --out $(OUT)

test: $(VENV)/dev.done   ## run every test
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS)

lint: $(VENV)/dev.done   ## style, types and the import contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

witnesses: $(VENV)/dev.done  ## let others read 1,000 dose reports of each kind (needs dsrdump, dciodvfy)
	ACRMOCK_DOSE_REPORTS=1000 ACRMOCK_REQUIRE_WITNESSES=1 $(BIN)/python -m pytest --timeout 1200 tests/synthetic/dose/test_witnesses.py

bench: $(VENV)/dev.done  ## measure beside named peers; prints ratios and writes docs/speed.md
	$(BIN)/python -m benchmarks --write

detection: $(VENV)/dev.done  ## run every broken vendor of every profile and write docs/detection.md
	for profile in all dir-direct dir-rdim dir-pacs; do \
	  $(BIN)/acrmock selftest --profile $$profile --format markdown --out acrmock-selftest/$$profile > /dev/null || exit 1; done
	cat acrmock-selftest/*/matrix.md > docs/detection.md

lock:             ## pin anew what pyproject.toml asks for (needs uv)
	uv pip compile -q pyproject.toml --group pyproject.toml:build --universal --python-version 3.11 --upgrade \
	  --generate-hashes --no-emit-index-url --no-header -o requirements/run.txt
	uv pip compile -q pyproject.toml --group pyproject.toml:build --group pyproject.toml:dev --universal --python-version 3.11 --upgrade \
	  --generate-hashes --no-emit-index-url --no-header -c requirements/run.txt -o requirements/dev.txt

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "acrmock needs Python 3.11 or newer: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.done: requirements/run.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/dev.done: requirements/dev.txt $(VENV)/run.done
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	touch $@

clean:            ## remove what make made
	rm -rf $(VENV) $(OUT) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
