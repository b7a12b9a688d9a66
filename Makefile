SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test check bench faults wheel clean

BIN := .venv/bin
# Whatever runs so imports the compiled modules, its own children too; the folder it runs in is not looked in first.
COMPILED := PYTHONSAFEPATH=1 PYTHONPATH=$(CURDIR)/.venv/compiled

help: ## List the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

demo: ## Score a small shop's customers before your eyes; needs Python 3.11 alone. Options: ARGS="..."
	@deploy/venv.sh demo
	@$(BIN)/lifecycle demo $(ARGS)

test: ## Everything: lint, types, all tests on Apache Kafka, compiled and not (installs Java, gcc, … where it may)
	@deploy/venv.sh dev
	@tests/kit/data.sh
	@deploy/kafka/jars.sh
	@tests/kit/graphviz.sh
	@deploy/compiled.sh
	@$(MAKE) --no-print-directory lint
	@$(COMPILED) $(BIN)/pytest --override-ini pythonpath=
	@$(BIN)/pytest --ignore=tests/faults -m "not slow"

check: ## The quick part of test: lint, types, quick tests without Apache Kafka and real data
	@deploy/venv.sh dev
	@$(MAKE) --no-print-directory lint
	@$(BIN)/pytest -m "not kafka and not slow and not real_data" --hypothesis-profile=smoke

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

wheel: ## The product as a compiled wheel, in dist: what to install where it is to be fast; needs a C compiler
	@deploy/venv.sh
	@deploy/wheel.sh
	@ls dist/*.whl

.PHONY: lint
lint:
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy

clean: ## Remove what these targets made: .venv, Kafka's jars and the tests' real data too
	@rm -rf .venv .data deploy/kafka/target build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -prune -exec rm -rf {} +
