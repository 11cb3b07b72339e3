# Potok. `make run` starts it, `make test` tries everything; both install what they need.
PYTHON ?= python3
BIN := .venv/bin
SOURCES := app.py commands kanban rules tests bench migrations

.DEFAULT_GOAL := help
.PHONY: help run test soak check lint types arrows fmt bench pictures messages lock clean

help: ## what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.venv/run: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Potok needs Python 3.11 or newer.")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing what Potok runs on…" && $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

.venv/dev: .venv/run requirements-dev.txt
	@echo "installing what the tests need…" && $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

run: .venv/run ## start Potok with the demo workshop (DEMO=0: empty)
	@$(BIN)/python app.py

test: .venv/dev ## unit, flow, PostgreSQL and browser tests
	@sh tests/install_chromium.sh
	@sh tests/install_mail.sh
	@sh tests/install_nu.sh
	@sh tests/install_proxies.sh
	@$(BIN)/python -m pytest $(if $(TEST_DATABASE_URL)$(ARGS),,-n 4 --dist loadgroup) $(ARGS)

soak: .venv/dev ## tests of endurance with their full numbers; SOAK=bounded: at most 15 minutes
	@SOAK=$${SOAK:-full} $(BIN)/python -m pytest -m soak -s --durations=0 $(ARGS)

check: lint types arrows test ## everything that must be green before a commit lands

lint: .venv/dev
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/djlint templates --lint --quiet

types: .venv/dev
	@$(BIN)/mypy

arrows: .venv/dev
	@$(BIN)/lint-imports --no-cache

fmt: .venv/dev ## format the code
	@$(BIN)/ruff check --fix $(SOURCES)
	@$(BIN)/ruff format $(SOURCES)

bench: .venv/dev ## measure, and print the table the README quotes
	@$(BIN)/python -m bench $(ARGS)

pictures: .venv/dev ## take the pictures of the README and docs with Chromium
	@sh tests/install_chromium.sh
	@$(BIN)/python -m bench.pictures $(ARGS)

messages: .venv/dev ## collect texts to translate into translations/
	@$(BIN)/pybabel --quiet extract -F translations/babel.cfg -k _l -k N_ --no-location --sort-output --omit-header -o translations/messages.pot .
	@$(BIN)/pybabel --quiet update --no-fuzzy-matching --omit-header --no-wrap --ignore-obsolete -i translations/messages.pot -d translations

lock: ## compile requirements*.in with hashes (needs uv)
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links requirements.in -o requirements.txt
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links requirements-dev.in -o requirements-dev.txt

clean: ## forget the demo: database, keys and passwords of instance/
	@find instance -mindepth 1 ! -name .gitkeep -delete
