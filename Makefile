# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

# One door to the checks in noxfile.py. Needs python3 (3.11 or newer) and make; sets up the rest in .venv and .nox.

PYTHON ?= python3
WORKSHOP := .venv/ready
NOX := .venv/bin/python -m nox
# Neither of these two uses more than one processor; what each says comes as one piece.
CHECKS = $(MAKE) --no-print-directory --jobs=2 --output-sync=target lint sanity
LINT := lint ruff license-check extra-checks changelog docs-check docs ansible-lint import-check install

# The folder's name may hold any letter, and Ansible insists on UTF-8. Where LC_ALL is not set, Python sees to it.
ifneq (,$(filter C POSIX,$(LC_ALL)))
export LC_ALL := C.UTF-8
endif

.DEFAULT_GOAL := help
.PHONY: help test test-all matrix demo lab e2e lint unit sanity docs bench format release clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

test: $(WORKSHOP) ## What a change breaks most often, in ten minutes (or SESSION="tests-2.19 sanity-2.19": see nox -l)
ifdef SESSION
	$(NOX) -s $(SESSION)
else
	+ONE_CORE=1 $(CHECKS)
	ONE_CORE=1 $(NOX) -t quick
endif

test-all: $(WORKSHOP) ## All checks and all tests, on each ansible-core of the matrix: what CI runs
	+$(CHECKS)
	$(NOX) -t tests

matrix: $(WORKSHOP) ## The sessions that CI runs side by side, as JSON
	@EVERY_CORE=1 $(NOX) --list --json -k "tests or sanity" | \
	  $(PYTHON) -c 'import json, sys; print(json.dumps([each["session"] for each in json.load(sys.stdin)]))'

demo: $(WORKSHOP) ## A good update and a bad one that is rolled back, against the emulator
	$(NOX) -s demo

lab: $(WORKSHOP) ## A shell among real servers behind the emulated API, to rehearse in (or RUN="a command")
	$(NOX) -s lab -- $(RUN)

e2e: $(WORKSHOP) ## The playbooks end to end, on real servers in the lab
	$(NOX) -s e2e

lint: $(WORKSHOP) ## Formatting, style, documentation and its site, licences, changelog, packaging: no test
	$(NOX) -s $(LINT)

unit: $(WORKSHOP) ## Unit, module, emulator and playbook tests on each ansible-core of the matrix
	$(NOX) -t tests

sanity: $(WORKSHOP) ## ansible-test sanity on each ansible-core of the matrix
	$(NOX) -k sanity

docs: $(WORKSHOP) ## The documentation site, in tests/output/docs/build/html
	$(NOX) -s docs

bench: $(WORKSHOP) ## Measure against the peers, and write docs/benchmarks.md
	$(NOX) -s bench

format: $(WORKSHOP) ## Rewrite the Python files in the house style
	$(NOX) -s format

release: $(WORKSHOP) ## Prepare the release VERSION=1.2.3: changelog, version, archive in dist/
	$(NOX) -s release -- $(VERSION)

clean: ## Remove everything that the targets above made in this folder
	rm -rf .venv .nox .ansible .pytest_cache .ruff_cache .hypothesis dist tests/output

$(WORKSHOP): requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$(PYTHON) is missing or older than Python 3.11. Install a newer one, or name it: make PYTHON=python3.12" >&2; \
	  exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv" >&2; \
	  exit 1; }
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check uv
	.venv/bin/uv pip install --quiet --python .venv/bin/python -r requirements-dev.txt || \
	  .venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
