SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test check operators pythons bench faults incidents sdks screenshots wheel release clean

# Another environment, of another Python: make check VENV=.venv-3.13 PYTHON=python3.13
export VENV ?= .venv
BIN := $(VENV)/bin
# Where a machine forbids it, each process would compile every module again.
export PYTHONDONTWRITEBYTECODE :=
# Whatever runs so imports the compiled modules, its own children too; the folder it runs in is not looked in first.
COMPILED := PYTHONSAFEPATH=1 PYTHONPATH=$(CURDIR)/$(VENV)/compiled

# Most tests wait, for brokers, groups and whole workers: twice as many processes as this needs cores.
PYTEST := $(BIN)/python -m pytest --numprocesses 4 --dist loadgroup --durations 10
# Where the compiled build and the Python could differ; the rest runs compiled alone.
COMPILED_ALIKE := $(addprefix tests/,contract core fuzz machine operations presets properties web/collector)

help: ## List the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 13

demo: ## Score a small shop's customers before your eyes; needs Python 3.11 alone. Options: ARGS="..."
	@deploy/venv.sh demo
	@$(BIN)/lifecycle demo $(ARGS)

test: ## Everything: lint, types, all tests on Apache Kafka, compiled and not (installs Java, gcc, … where it may)
	@$(MAKE) --no-print-directory --jobs 2 ready-python ready-kafka
	@$(if $(OPERATORS),tests/kit/deploy_tools.sh)
	@$(COMPILED) $(PYTEST) --override-ini pythonpath= --ignore-glob='tests/properties/test_reference*' -m "not wrong and not release$(if $(OPERATORS),, and not operators)"
	@$(PYTEST) -m "not kafka and not slow" $(COMPILED_ALIKE)

check: ## The quick part of test, with how much of the code it reaches: no Apache Kafka, no real data
	@deploy/venv.sh dev
	@$(MAKE) --no-print-directory --jobs 2 lint quick

operators: ## What deploy/ has for operators, read by their own tools: promtool, kustomize… (needs Go; installs the rest)
	@$(MAKE) --no-print-directory --jobs 2 ready-python ready-kafka
	@tests/kit/deploy_tools.sh
	@$(COMPILED) $(BIN)/python -m pytest --override-ini pythonpath= -m "operators or release" tests/deploy

pythons: ## `make check` on every Python from 3.11 to 3.14 that is found here, and what is compiled compiled, too
	@tests/kit/pythons.sh

bench: ## Speed on Apache Kafka, ours and others': 15 minutes; ARGS=--quick takes 3, ARGS=--help lists more
	@deploy/venv.sh dev
	@tests/kit/data.sh
	@deploy/kafka/jars.sh
	@deploy/compiled.sh
	@$(COMPILED) $(BIN)/python -m tests.bench $(ARGS)

faults: ## Kills, zombies, brokers that restart, networks that fail; then the verdict. ARGS="--seed 7 --minutes 10"
	@deploy/venv.sh dev
	@deploy/kafka/jars.sh
	@deploy/compiled.sh
	@$(COMPILED) $(BIN)/python -m tests.faults $(ARGS)

incidents: ## Break a real product in every way: each alert must fire, and be over once it is mended: 25 minutes. ARGS=--help
	@deploy/venv.sh dev
	@deploy/kafka/jars.sh
	@tests/kit/deploy_tools.sh
	@deploy/compiled.sh
	@$(COMPILED) $(BIN)/python -m tests.incidents $(ARGS)

sdks: ## Official SDKs, in Python, Node, Java and Chromium, against collector, worker and Kafka. ARGS="--only node", --help
	@deploy/venv.sh dev
	@deploy/kafka/jars.sh
	@$(BIN)/python -m tests.sdks $(ARGS)

screenshots: ## Pictures of the console, of each view in light, dark and narrow, in .data/screenshots. ARGS=FOLDER
	@deploy/venv.sh dev
	@tests/kit/chromium.sh
	@$(BIN)/python -m tests.console.screenshots $(ARGS)

wheel: ## The product as a compiled wheel, in dist: what to install where it is to be fast; needs a C compiler
	@deploy/venv.sh
	@deploy/wheel.sh
	@ls dist/*.whl

release: ## All that a release holds, of the last commit, in dist: wheels for x86-64 and arm64, SBOM… PYTHONS="3.11 3.13"
	@PYTHONS="$(PYTHONS)" deploy/release/release.sh

.PHONY: ready-python ready-kafka lint quick alike
ready-python:
	@deploy/venv.sh dev
	@tests/kit/data.sh
	@OPTIMISE=1 deploy/compiled.sh
	@$(MAKE) --no-print-directory lint

ready-kafka:
	@deploy/kafka/jars.sh
	@tests/kit/graphviz.sh
	@tests/kit/chromium.sh

quick:
	@$(PYTEST) --numprocesses 2 -m "not kafka and not slow and not real_data and not long and not operators" \
		--hypothesis-profile=smoke -p tests.kit.branch_coverage --least-reached 80

alike:
	@$(COMPILED) $(PYTEST) --override-ini pythonpath= -m "not kafka and not slow and not real_data" \
		--hypothesis-profile=smoke $(COMPILED_ALIKE)

lint:
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy

clean: ## Remove what these targets made: .venv, Kafka's jars and the tests' real data too
	@rm -rf .venv .venv-3.* .data deploy/*/target docs/examples/*/target build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -prune -exec rm -rf {} +
