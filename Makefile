# SPDX-License-Identifier: Apache-2.0
# What a person does with this repository. Each target sets up what it needs (as root: Debian packages; never a
# service) and keeps its work in .cache/, target/ and build/; `make clean` removes the last two.

.DEFAULT_GOAL := help
.PHONY: help build dist demo test bench molecule lint docs clean
export ONLY

help: ## this list
	@echo 'tls.everywhere: a certificate of its own for every service, in one playbook'
	@echo
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "  make %-10s %s\n", $$1, $$2 }'

build: ## the executable for this architecture, and its size
	@scripts/setup-debian build
	@scripts/build-executables

dist: ## the Galaxy artifact with all architectures, in build/
	@scripts/setup-debian build dist
	@scripts/dist

demo: build ## the whole job on a small cloud, with a real HAProxy, proved by openssl
	@scripts/setup-debian demo containers
	@demo/run

test: ## every test, unit to end-to-end (PARTS="rust static" for some of them)
	@scripts/setup-debian build test
	@scripts/test $(PARTS)

bench: build ## side by side with what we replace (ONLY=NAME for one comparison)
	@scripts/setup-debian bench demo containers
	@tests/bench/run

molecule: build ## the molecule scenarios (SCENARIO=NAME for one)
	@scripts/setup-debian demo containers test
	@molecule/run $(SCENARIO)

lint: ## format, clippy, dependency firewalls, shellcheck, yamllint, licence lines, ansible-test sanity
	@scripts/setup-debian build lint
	@scripts/lint

docs: ## the modules' pages and the crates' pages as HTML, in build/docs/
	@scripts/setup-debian build
	@scripts/docs

clean: ## remove what was built (.cache/ with OpenSSL, tools and virtual environments stays)
	rm -rf build target plugins/native
