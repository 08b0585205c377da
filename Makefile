# Each target creates what it needs: a virtual environment in .venv, with PyTorch and everything else inside it.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test check bench format readme clean

demo: $(READY)
	$(BIN)/barehand demo

test: $(READY)
	$(BIN)/python -m pytest --numprocesses 2

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(MAKE) test

bench: $(READY)
	$(BIN)/barehand bench --save benchmarks/results

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

readme: $(READY)
	$(BIN)/python tools/readme.py

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis barehand-report.html

# PyTorch first and exactly: the other packages then find it present.
$(READY): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet torch==2.13.0
	$(BIN)/python -m pip install --quiet --editable ".[all]" --group dev
	touch $@
