# VPN Console. `make run` serves it, `make test` tests it; both install what they need first.
# Programs of the environment run as `python -m`, so that a path with spaces works.

PY := .venv/bin/python
STRONGSWAN = strongswan-swanctl charon-systemd libcharon-extra-plugins libstrongswan-extra-plugins iproute2 iputils-ping
TEMPLATES = find templates tunnels -name '*.html' -print0 | xargs -0 -r
.DEFAULT_GOAL := help
.PHONY: help run demo test bench lab lab-matrix devices chaos screenshots lint format check install install-dev requirements clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' Makefile | expand -t 22

run: install ## Serve on http://127.0.0.1:8000/ (PORT, BIND) with a PostgreSQL in var/
	@$(PY) -m vpnconsole.run

demo: install ## The same with example data, and with real tunnels in a private network
	@[ "$$(id -u)" != 0 ] || ./install.sh debian $(STRONGSWAN) || true
	@$(PY) -m vpnconsole.run --demo

test: install-dev ## Lint, then run all tests
	@tests/system-packages.sh
	@$(MAKE) --no-print-directory lint
	@echo "Testing …"
	@# A browser or a charon on a busy machine gets a second, quiet try; what is really broken fails twice.
	@$(PY) -m pytest -n 2 --dist loadgroup || { echo "Trying what failed once more, one after the other …"; \
	  $(PY) -m pytest -p no:randomly --last-failed --last-failed-no-failures none; }

lab: install ## Two strongSwan gateways in a private network of their own, until Ctrl-C
	@$(PY) -m tunnels.lab

lab-matrix: install ## Negotiate every combination of algorithms between two real strongSwans
	@$(PY) -m tunnels.lab.matrix

devices: install-dev ## Prove the files for every device, and keep the record of it
	@tests/system-packages.sh
	@$(PY) -m tests.devices

chaos: install-dev ## Kill every process of a whole console and its tunnels, 60 times (CYCLES, SEED)
	@$(PY) -m tests.chaos --evidence var/chaos --cycles $(or $(CYCLES),60) $(if $(SEED),--seed $(SEED))

bench: install-dev ## Measure pages, checks and the agent, beside bare floors (PARTS)
	@$(PY) -m benchmarks $(PARTS)

screenshots: install-dev ## Take the pictures of the README anew, from the test of the first hour
	@$(PY) -m pytest -q tests/e2e/test_journey.py
	@cp "$${VPNCONSOLE_VAR_DIR:-var}/screenshots/journey-02-tunnels.png" docs/images/tunnels.png
	@cp "$${VPNCONSOLE_VAR_DIR:-var}/screenshots/journey-05-wizard-conflict.png" docs/images/conflict.png

lint: install-dev ## Style, types, direction of imports, templates, settings, migrations
	@echo "Linting …"
	@$(PY) -m ruff check --quiet .
	@$(PY) -m ruff format --quiet --check . || { echo "Files are not formatted: run \`make format\`."; exit 1; }
	@$(PY) -m mypy --no-error-summary .
	@.venv/bin/lint-imports --no-logo 2>/dev/null || .venv/bin/lint-imports
	@$(TEMPLATES) $(PY) -m djlint --lint --quiet
	@$(TEMPLATES) .venv/bin/djade --target-version 5.2 --check
	@$(PY) manage.py check --fail-level WARNING
	@$(PY) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run

format: install-dev ## Format the code and the templates
	@$(PY) -m ruff check --quiet --fix . ; $(PY) -m ruff format --quiet .
	@$(TEMPLATES) .venv/bin/djade --target-version 5.2 || true # it fails when it changed something

check: install ## Examine the settings
	@$(PY) manage.py check

install: .venv/.installed node_modules/.installed

install-dev: install .venv/.installed-dev

.venv/.installed: requirements.txt
	@./install.sh python requirements.txt
	@touch $@

.venv/.installed-dev: requirements-dev.txt .venv/.installed
	@./install.sh python requirements-dev.txt
	@touch $@

node_modules/.installed: package-lock.json .npmrc .venv/.installed
	@./install.sh browser
	@touch $@

requirements: install-dev ## Pin the newest allowed versions, with hashes
	@for name in requirements requirements-dev; do \
	  CUSTOM_COMPILE_COMMAND="make requirements" $(PY) -m piptools compile --quiet --upgrade \
	    --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url \
	    --no-emit-find-links --no-emit-trusted-host -o $$name.txt $$name.in || exit 1; \
	done

clean: ## Remove what was installed and built; the data in var/ stays
	rm -rf .venv node_modules build staticfiles .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
