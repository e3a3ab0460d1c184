# Everything that CI does, and nothing that it does not. `make` lists the targets.

GO       ?= go
PKGS     ?= ./...
BIN      := $(CURDIR)/bin
LINT     := $(BIN)/golangci-lint
LINT_VERSION := 2.15.0
GOFUMPT  := $(GO) tool -modfile=tools/go.mod gofumpt
NODE     := $(CURDIR)/scripts/node

# The packages with goroutines, locks and shared caches. Pure packages have none: the engine runs them.
RACE_PKGS ?= ./internal/engine ./internal/run ./internal/sim ./internal/runner ./internal/transcript ./internal/store/... \
	./internal/blob/... ./internal/httpapi ./internal/client ./internal/action/process ./internal/action/shell ./internal/action/http

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z][a-z-]*:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/tend
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o $(BIN)/tend ./cmd/tend

.PHONY: demo
demo: ## see an alert handled and a real problem repaired on this machine
	$(GO) run ./cmd/tend demo

.PHONY: test
test: ## run all tests; ends with what was skipped and why
	@GO='$(GO)' scripts/test $(TESTFLAGS) $(PKGS)

.PHONY: short
short: ## run the tests that take no time
	@GO='$(GO)' scripts/test -short $(TESTFLAGS) $(PKGS)

.PHONY: race
race: ## run the tests of the core under the race detector
	@GO='$(GO)' SIM_SEEDS=$${SIM_SEEDS:-20} scripts/test -race -short $(RACE_PKGS)

.PHONY: lint
lint: $(LINT) ## run the linters; every one of them has its reason in .golangci.yml
	$(LINT) run $(PKGS)

.PHONY: fmt
fmt: $(LINT) ## format the Go files
	$(GOFUMPT) -l -w cmd internal
	$(LINT) fmt

.PHONY: darwin
darwin: ## check that everything builds for macOS, tests too
	GOOS=darwin $(GO) vet ./...

.PHONY: web
web: web/node_modules/.package-lock.json ## build the page into internal/web/dist; scripts/node says with which Node
	cd web && $(NODE) sh -c 'npm run --silent types && npm run --silent typecheck && npm run --silent build'

.PHONY: web-test
web-test: web/node_modules/.package-lock.json ## run the unit tests of the page
	cd web && $(NODE) sh -c 'npm run --silent typecheck && npm test --silent'

.PHONY: screenshots
screenshots: web ## make screenshots of each page, in light and dark, in docs/screenshots
	cd web && $(NODE) node e2e/screenshots.mjs

web/node_modules/.package-lock.json: web/package-lock.json
	cd web && $(NODE) npm ci --no-audit --no-fund --silent
	@touch $@

.PHONY: update
update: ## write all golden and generated files anew: review the difference
	TEND_UPDATE=1 $(GO) test -short -run Current ./internal/httpapi
	TEND_UPDATE=1 $(GO) test -short -run Current ./internal/client/gen
	TEND_UPDATE=1 $(GO) test -short ./...

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME each (default 10s)
	@GO='$(GO)' scripts/fuzz $(or $(FUZZTIME),10s)

.PHONY: sim
sim: ## simulate the whole engine with seeded faults; SEEDS=n does more, SEED=n repeats one
	SEED=$(SEED) SIM_SEEDS=$(or $(SEEDS),$(SIM_SEEDS)) $(GO) test -count=1 -timeout 30m ./internal/sim

.PHONY: kill
kill: ## kill the real binary KILLS times (default 200), in every window around an effect
	@GO='$(GO)' scripts/kill $(KILLS)

.PHONY: planted
planted: ## measure the tests: they must find every planted bug; BUGS="name …" plants these
	@GO='$(GO)' scripts/planted $(BUGS)

.PHONY: bench
bench: ## measure: lines `name value unit`, compared with docs/benchmarks.md
	$(GO) run ./internal/bench

.PHONY: ci
ci: ## do what CI does
	.ci/run

.PHONY: clean
clean: ## remove what was built
	rm -rf $(BIN) dist

# golangci-lint is built here rather than found: another version finds other things. One that is installed already and is
# of the right version is taken.
$(LINT):
	@mkdir -p $(BIN)
	@have=$$(PATH="$$PATH:$$($(GO) env GOPATH)/bin" command -v golangci-lint || true); \
	if [ -n "$$have" ] && "$$have" version 2>/dev/null | grep -q ' $(LINT_VERSION) '; then \
		ln -sf "$$have" $@; \
	else \
		echo "installing golangci-lint $(LINT_VERSION)"; \
		GOBIN=$(BIN) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v$(LINT_VERSION); \
	fi
