# The commands of this repository. Each installs what it needs into .tools/ and .venv/ below this folder.
# ARGS is passed on: make bench ARGS=--json
PYTHON ?= python3
TOOLS := .tools
UV := $(TOOLS)/bin/uv
BIN := .venv/bin
READY := .venv/.ready
ARGS ?=
OVERLAY ?= staging

.DEFAULT_GOAL := help
.PHONY: help install demo up down status bench reconcile test drill drills test-fast k8s-check k8s-apply k8s-diff k8s-test check format generate clean

help: ## Show these commands
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Tuntas needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V). Name another: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(TOOLS) || { echo "$(PYTHON) can't make a virtual environment: install its venv module (Debian: python3-venv)." >&2; exit 1; }
	@$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check uv || { echo "uv could not be fetched from the package index: is there a network?" >&2; exit 1; }

$(READY): $(UV) uv.lock pyproject.toml $(wildcard */pyproject.toml services/*/pyproject.toml)
	@$(UV) sync --quiet --frozen --compile-bytecode --python $(TOOLS)/bin/python
	@$(BIN)/python -m compileall -q contracts/src reference/src operations/src chassis/src services/*/src embedded/src devstack/src demo/src tools/src
	@touch $@

install: $(READY) ## Install everything into .venv

demo: $(READY) ## Watch the platform work: 2,000 reports through simulated working days
	@$(BIN)/tuntas demo $(ARGS)

up: $(READY) ## Run the platform on this machine until Ctrl-C
	@$(BIN)/tuntas up $(ARGS)

down: $(READY) ## End a platform that runs in the background
	@$(BIN)/tuntas down $(ARGS)

status: $(READY) ## Show every part with its address and health
	@$(BIN)/tuntas status $(ARGS)

bench: $(READY) ## Measure reports per second and CPU per report
	@$(BIN)/tuntas bench $(ARGS)

reconcile: $(READY) ## Compare what was accepted, published, owned and delivered
	@$(BIN)/tuntas reconcile $(ARGS)

test: $(READY) ## Run all tests on real Kafka and PostgreSQL, in three processes, which wait more than they compute
	@$(BIN)/pytest -n 3 --no-loadscope-reorder $(ARGS)

drill: $(READY) ## Faults on a throw-away stack, by name or all, and a verdict on each
	@$(BIN)/tuntas drill $(ARGS)

drills: $(READY) ## Kill services, broker and database at random moments of 2,000 reports, and reconcile
	@$(BIN)/pytest -m drill tests/e2e $(ARGS)

test-fast: $(READY) ## Run the tests that need no server
	@$(BIN)/pytest -m "not servers" tests/unit tests/contracts tests/architecture tests/deploy tests/observability $(ARGS)

k8s-check: $(READY) ## Render every overlay and combination, validate strictly (builds kustomize once where there is none)
	@$(BIN)/python -m tuntas_tools.k8s check
	@$(BIN)/pytest tests/k8s $(ARGS)

k8s-apply: $(READY) ## Apply an overlay: OVERLAY=production KUBECONFIG=...
	@$(BIN)/python -m tuntas_tools.k8s apply $(OVERLAY) $(if $(KUBECONFIG),--kubeconfig $(KUBECONFIG))

k8s-diff: $(READY) ## What an apply would change
	@$(BIN)/python -m tuntas_tools.k8s diff $(OVERLAY) $(if $(KUBECONFIG),--kubeconfig $(KUBECONFIG))

k8s-test: $(READY) ## Try every overlay on a cluster made for it
	@$(BIN)/python -m tuntas_tools.k8s test $(if $(KUBECONFIG),--kubeconfig $(KUBECONFIG)) $(ARGS)

check: $(READY) ## Lint, types, imports, generated files
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m tuntas_tools.contracts check
	@$(BIN)/python -m tuntas_tools.observability check
	@$(BIN)/python -m tuntas_demo.drills.matrix check

format: $(READY) ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

generate: $(READY) ## Write schemas, AsyncAPI documents and diagrams anew from the contracts
	@$(BIN)/python -m tuntas_tools.contracts generate
	@$(BIN)/python -m tuntas_tools.k8s generate
	@$(BIN)/python -m tuntas_tools.observability generate
	@$(BIN)/python -m tuntas_demo.drills.matrix generate

clean: ## Remove what the commands installed and made
	rm -rf .venv $(TOOLS) .tuntas .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
