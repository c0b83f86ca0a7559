# The one door: setup, demo, test, check, bench, docs, evals, train.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
ENGINE := .venv/.engine
DESCRIPTION := I need a small backend for my bookshop. Books have a title, an author name, an ISBN that must be unique, and a price. Customers leave reviews of a book: a score from 1 to 5 plus some text. No login needed.

.PHONY: setup demo test faults check bench docs evals train clean

setup: $(STAMP)

$(STAMP): pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing Clodo and what it needs …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,llama]'
	@touch $(STAMP)

$(ENGINE): $(STAMP)
	@echo "Installing what trains models (PyTorch) and compiles kernels (Zig) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[train,kernels]'
	@touch $(ENGINE)

demo: setup
	@rm -rf demo-bookshop
	@$(BIN)/clodo generate "$(DESCRIPTION)" -o demo-bookshop --yes
	@$(BIN)/python -m scripts.demo_calls demo-bookshop

check: setup
	@$(BIN)/ruff check src tests evals benchmarks scripts
	@$(BIN)/mypy
	@$(BIN)/lint-imports

test: setup $(ENGINE) check
	@$(BIN)/clodo doctor --install
	@$(BIN)/pytest -n auto --maxprocesses 4 --dist worksteal

# Every planted fault, where `make test` plants one for each check, and every record: for those who change bricks, checks or the corpus.
faults: setup
	@$(BIN)/clodo doctor --install
	@$(BIN)/pytest -n auto --maxprocesses 4 --dist worksteal --all-faults tests/bricks tests/proof tests/corpus

bench: setup
	@$(BIN)/python -m benchmarks.pipeline
	@$(BIN)/python -m benchmarks.understanding
	@$(BIN)/python -m benchmarks.edge --gate
	@$(BIN)/python -m benchmarks.edge_greedy --gate

docs: setup
	@$(BIN)/python -m scripts.docs

evals: setup
	@$(BIN)/python -m evals.run

# A model like the built-in one, from the bare base: MINUTES of training, then packed, measured and held against the built-in one. How releases go on from there: docs/training.md.
MINUTES ?= 120
train: setup $(ENGINE)
	@$(BIN)/clodo train -o runs/clodo-1 --minutes $(MINUTES) --name clodo-1 --gate evals/sets/clear.txt --gate evals/sets/unclear.txt

clean:
	rm -rf .venv demo-bookshop
