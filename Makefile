# Everything runs in a virtual environment of the project's own.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

# Who provides the cluster of `make e2e`: auto, k3s, k3d, kubeconfig or native (e2e/README.md).
CLUSTER ?= auto
# Its minor version: 1.33 to 1.37; by default the newest, or whatever a cluster that exists has.
KUBERNETES ?=

# The tests start many processes: none of them compiles what another one has compiled.
unexport PYTHONDONTWRITEBYTECODE

PYTEST := $(BIN)/pytest -n 2 --dist worksteal
# Where the decisions are tested: these tests alone must cover them (pyproject.toml).
DECISIONS := tests/statemachine tests/operator/controller
# Too long for the fast tests; .ci/run runs them all the same.
LONG := $(addprefix tests/,$(addsuffix .py,test_scenario_traces simulator/harness/test_fault_search \
    simulator/harness/test_lost_permissions simulator/faults/test_fault_pairs \
    simulator/faults/test_fault_triples simulator/scheduler/test_scheduler_properties))

.PHONY: install constraints generate lint test test-long fuzz e2e e2e-smoke e2e-operators e2e-olm e2e-release e2e-full bundle-validate demo mutants search planted benchmarks clean

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,e2e]'
	touch $@

constraints: install
	$(BIN)/python scripts/constraints > $(VENV)/constraints.txt
	mv $(VENV)/constraints.txt constraints.txt

generate: install
	$(BIN)/python -m hourglass_operator.api.crd > crds/performers.hourglass.eigenlayer.io.yaml
	$(BIN)/python -m hourglass_statemachine.diagram > docs/phases.md
	$(BIN)/python -m hourglass_simulator.faults.reference > docs/faults.md
	$(BIN)/python -m hourglass_operator.runtime.process.reference settings > docs/settings.md
	$(BIN)/python -m hourglass_operator.runtime.process.reference metrics > docs/metrics.md
	$(BIN)/python -m hourglass_operator.api.reference > docs/crd.md
	$(BIN)/python -m hourglass_operator.cli.reference > docs/cli.md
	$(BIN)/python -m hourglass_simulator.cli.reference > docs/cli-simulator.md
	for width in 80 120 200; do COLUMNS=$$width $(BIN)/hourglass-sim demo > tests/simulator/report/demo/$$width.txt || exit 1; done
	$(BIN)/python -m hourglass_operator.manifests.base deploy/base
	$(BIN)/python -m hourglass_operator.manifests.chart deploy/chart
	$(BIN)/python -m hourglass_operator.manifests.policy deploy/policy
	$(BIN)/python -m hourglass_operator.manifests.monitoring .
	$(BIN)/python -m hourglass_operator.manifests.security e2e/permissions.json > docs/security.md
	$(BIN)/python -m hourglass_operator.olm.generate .

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=e2e:benchmarks $(BIN)/lint-imports

test: install lint
	$(PYTEST) $(DECISIONS) --cov --cov-report=term
	$(PYTEST) $(addprefix --ignore=,$(DECISIONS) $(LONG))
	@echo "left out, as they take two minutes: the tests of $(words $(LONG)) files; make test-long runs them"

test-long: install
	$(PYTEST) $(LONG)

# Whether any input brings 500, and any three faults leave something behind: for longer than in
# `make test`, and never the same.
fuzz: install
	FUZZ_EXAMPLES=20000 $(PYTEST) tests/simulator/apiserver/test_no_input_brings_500.py
	FUZZ_EXAMPLES=2000 $(PYTEST) tests/simulator/faults/test_fault_triples.py

E2E := $(BIN)/pytest -rsfE --durations=25 $(if $(KUBERNETES),--kubernetes $(KUBERNETES))
# On the simulated cluster, or on none.
PROGRAMS := $(addprefix e2e/test_,$(addsuffix .py,any_operator ci_templates go_programs \
    kubectl_on_the_simulator real_control_plane wheel))
OPERATORS := e2e/test_operators_of_others.py
# Judged by programs of others, which take two cores a minute to build.
RELEASE := e2e/test_kstatus.py e2e/test_workflows.py
# Its cluster has no node, and what it builds takes two cores minutes.
OLM := e2e/test_bundle_validators.py e2e/test_olm.py

# On a native cluster all at the same time: scenario files need no node that runs anything. What
# fails is run once more alone, and counted.
e2e: install
ifeq ($(CLUSTER),native)
	$(BIN)/python e2e/side_by_side.py \
	    '$(E2E) -o cache_dir=.pytest_cache/node e2e --cluster native $(addprefix --ignore=,e2e/scenarios $(PROGRAMS) $(OPERATORS) $(OLM) $(RELEASE))' \
	    '$(E2E) -o cache_dir=.pytest_cache/scenarios e2e/scenarios --cluster control-plane' \
	    '$(E2E) -o cache_dir=.pytest_cache/programs $(PROGRAMS)'
else
	$(E2E) e2e --cluster $(CLUSTER) $(addprefix --ignore=,$(OPERATORS) $(OLM) $(RELEASE))
endif

# Something of everything (e2e/smoke.py), for versions on which all is too much.
e2e-smoke: install
	$(E2E) e2e --cluster native --smoke

# To build the operators alone takes two cores two to three minutes.
e2e-operators: install
	$(E2E) $(OPERATORS)

e2e-release: install
	$(E2E) $(RELEASE)

e2e-olm: install bundle-validate
	$(E2E) $(OLM) --cluster control-plane

# What takes longer than .ci/run may: all that there is on a real cluster, for a release's figures.
e2e-full: install
	E2E_KUBECTL=1 $(MAKE) e2e CLUSTER=native
	E2E_KUBECTL=1 $(MAKE) e2e CLUSTER=native KUBERNETES=1.34
	for version in 1.33 1.35 1.36; do $(MAKE) e2e-smoke KUBERNETES=$$version || exit 1; done
	$(MAKE) e2e-operators
	$(MAKE) e2e-olm
	$(MAKE) e2e-release
	$(BIN)/python benchmarks/real_cluster.py
	@if docker info >/dev/null 2>&1; then $(MAKE) e2e CLUSTER=k3s; else echo "e2e-full: without Docker, k3s is left out"; fi

bundle-validate: install
	$(BIN)/python -m hourglass_operator.olm.validate bundle
	$(BIN)/python e2e/validate_bundle.py bundle

demo: install
	$(BIN)/hourglass-sim run scenarios/demo.yaml

mutants: install
	scripts/mutants

# Every single trouble in every scenario file, and plans by chance.
search: install
	$(BIN)/hourglass-sim search scenarios --seeds 0..20000 --jobs 2 --out found

# Whether the search finds bugs that are put in: ten minutes on two cores.
planted: install
	$(BIN)/python benchmarks/planted.py

benchmarks: install
	@for file in $(filter-out benchmarks/planted.py benchmarks/real_cluster.py,$(wildcard benchmarks/*.py)); do echo "== $$file"; $(BIN)/python $$file || exit 1; done

clean:
	rm -rf $(VENV)
