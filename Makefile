# Everything runs in a virtual environment of the project's own.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: install generate lint test demo mutants benchmarks clean

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

generate: install
	$(BIN)/python -m hourglass_operator.api.crd > crds/performers.hourglass.eigenlayer.io.yaml
	$(BIN)/python -m hourglass_statemachine.diagram > docs/phases.md
	$(BIN)/python -m hourglass_simulator.faults.reference > docs/faults.md

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: install lint
	$(BIN)/pytest -n 2 --dist worksteal --cov --cov-report=term

demo: install
	$(BIN)/hourglass-sim run scenarios/demo.yaml

mutants: install
	scripts/mutants

benchmarks: install
	@for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

clean:
	rm -rf $(VENV)
