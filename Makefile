# Every target sets up what it needs. `make help` lists them.
SHELL := /bin/bash
NODE := node_modules/node/bin/node
SOURCES := $(shell find src -name '*.ts' -not -name '*.test.ts' 2>/dev/null)

.PHONY: help setup demo test lint types bench conformance clean
help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile

setup: dist/main.js ## install what the runner needs beside it, and build it

node_modules/.ready: package-lock.json scripts/setup.sh
	@scripts/setup.sh
	@touch $@

dist/main.js: node_modules/.ready scripts/build.ts $(SOURCES)
	@$(NODE) scripts/build.ts

demo: setup ## run the example workflow, trace a result, edit the Dockerfile, run again
	@examples/variants/demo.sh

test: setup ## run the tests
	@$(NODE) node_modules/vitest/vitest.mjs run

lint: setup ## formatter, linter and the import table
	@node_modules/.bin/biome check --error-on-warnings src test scripts schemas biome.json package.json tsconfig.json vitest.config.ts
	@$(NODE) scripts/lint-imports.ts

types: setup ## strict TypeScript
	@node_modules/.bin/tsc

bench: setup ## ratios against the peers that are installed
	@$(NODE) test/bench/bench.ts
	@$(NODE) test/bench/containers.ts
	@[ -z "$$BENCH_LARGE" ] || $(NODE) test/bench/suite.ts

conformance: setup ## the CWL suites, with each executor that is here
	@scripts/engines.sh scripts/conformance.sh

clean: ## remove what the targets made
	rm -rf dist node_modules .cache
