# The one door: setup, demo, test, check, bench, train.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
DESCRIPTION := I need a small backend for my bookshop. Books have a title, an author name, an ISBN that must be unique, and a price. Customers leave reviews: a score from 1 to 5 plus some text. No login needed.

.PHONY: setup demo test check bench docs evals train clean

setup: $(STAMP)

$(STAMP): pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing Clodo and what it needs …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,llama]'
	@touch $(STAMP)

demo: setup
	@rm -rf demo-bookshop
	@$(BIN)/clodo generate "$(DESCRIPTION)" -o demo-bookshop --yes
	@$(BIN)/python -m scripts.demo_calls demo-bookshop

check: setup
	@$(BIN)/ruff check src tests evals benchmarks scripts
	@$(BIN)/mypy
	@$(BIN)/lint-imports

test: setup check
	@$(BIN)/clodo doctor --install
	@$(BIN)/pytest

bench: setup
	@$(BIN)/python -m benchmarks.pipeline

docs: setup
	@$(BIN)/python -m scripts.docs

evals: setup
	@$(BIN)/python -m evals.run --help

train: setup
	@$(BIN)/python -m pip install --quiet -e '.[train]'
	@$(BIN)/python -m clodo.training.train --help

clean:
	rm -rf .venv demo-bookshop
