# `make demo` grades an example, `make tests` is quick, `make test` is everything that CI runs. Each makes .venv first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test lint types tests all-tests check bench versions clean

demo: $(STAMP)
	@echo "Grading tests/submissions/half_finished, as a student would with: cd half_finished && grade"
	@echo
	@$(BIN)/grade tests/submissions/half_finished --no-history --report grade-report.html; test $$? -le 1
	@echo
	@echo "The report is a page for your browser: $(CURDIR)/grade-report.html"

# Side by side: the tests wait for time limits, and leave room.
test: $(STAMP)
	@$(MAKE) --no-print-directory -j 2 all-tests lint types check

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

# What runs once and from nothing, as CI does, keeps nothing: a quarter of the time goes into writing what is kept.
types: $(STAMP)
	$(BIN)/mypy $(if $(CI),--cache-dir=/dev/null)

# What a person runs while working. Workers take whole modules, whose tests share what is costly to start.
tests: $(STAMP)
	$(BIN)/pytest -q -n 2 --dist worksteal -m "not hostile and not browser and not slow"

# More workers than cores: hostile tests wait for time limits most of their time. Each further one costs its start.
all-tests: $(STAMP)
	$(BIN)/pytest -q -n 3 --dist worksteal

check: $(STAMP)
	$(BIN)/grade check --strict

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev,cluster]"
	@touch $(STAMP)

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis grade-report.html

# Measured, never asserted: what the box costs, and a batch against a process for each submission.
bench: $(STAMP)
	$(BIN)/python tests/benchmarks/box.py
	$(BIN)/python tests/benchmarks/batch.py --sizes 20,200,2000

# The oldest and the newest torch, in environments of their own: some hundred megabytes each.
versions: $(STAMP)
	$(BIN)/python tests/benchmarks/versions.py
