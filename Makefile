# Run `make help` for a list of targets.

# Installation directories. DESTDIR stages an installation for packaging.
PREFIX ?= /usr/local
DESTDIR ?=

# How long `make fuzz` runs each target.
FUZZTIME ?= 30s

# How much of the tests `make race` runs.
RACE_FLAGS ?= -short

# The size of the smallest log of `make bench-growth`, and more flags for
# `make bench-peers` and `make bench-growth`.
GROWTH_SIZE ?= 32MiB
BENCH_FLAGS ?=

# Pinned versions of tools.
LINT_VERSION = v2.15.0
DUCKDB_VERSION = 1.5.6-r.1
AXE_VERSION = 4.14.1
SBOM = github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
NFPM = github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.43.0

LINT = bin/golangci-lint-$(LINT_VERSION)

# Stamp the commit into the program if git can determine it.
VCS = $(shell git rev-parse HEAD >/dev/null 2>&1 && echo true || echo false)

# The program is built with the profile cmd/logscan/default.pgo. Tests and tools
# are not: with a profile, Go would compile every package a second time for them.
export GOFLAGS := $(GOFLAGS) -pgo=off
# All but the race detector and DuckDB do without C, as the program does: a test or tool
# is linked and starts in less time.
export CGO_ENABLED := 0
BUILD = go build -pgo=auto -trimpath -buildvcs=$(VCS)

.DEFAULT_GOAL := build
.PHONY: help build install test test-all race lint check fuzz duckdb readers test-cluster axe crash demo eval \
	bench bench-peers bench-growth bench-watch bench-traps pgo release package clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## Build bin/logscan
	$(BUILD) -o bin/logscan ./cmd/logscan

# Only if missing, so that `sudo make install` does not build as root.
bin/logscan:
	$(MAKE) build

SHARE = $(DESTDIR)$(PREFIX)/share
install: bin/logscan ## Install the program, manual page, completions and licenses (PREFIX, DESTDIR)
	install -d $(DESTDIR)$(PREFIX)/bin $(SHARE)/man/man1 $(SHARE)/bash-completion/completions \
		$(SHARE)/zsh/site-functions $(SHARE)/fish/vendor_completions.d $(SHARE)/doc/logscan
	install -m 0755 bin/logscan $(DESTDIR)$(PREFIX)/bin/logscan
	umask 022; \
	bin/logscan man >$(SHARE)/man/man1/logscan.1 && \
	bin/logscan completion bash >$(SHARE)/bash-completion/completions/logscan && \
	bin/logscan completion zsh >$(SHARE)/zsh/site-functions/_logscan && \
	bin/logscan completion fish >$(SHARE)/fish/vendor_completions.d/logscan.fish
	install -m 0644 LICENSE $(SHARE)/doc/logscan/LICENSE
	install -m 0644 report/page/html/uplot/LICENSE $(SHARE)/doc/logscan/LICENSE.uplot

demo: build ## Scan the bundled logs and print the path of the report
	bin/logscan scan -o logscan-out fixtures/logs
	@echo "open $(CURDIR)/logscan-out/report.html"

# One more package than CPUs is tested at a time, because tests with servers and browsers
# wait; the longest waits are first. `make lint` vets more than `go test` does.
PACKAGES_AT_ONCE = $$(($$(getconf _NPROCESSORS_ONLN) + 1))
GO_TEST = go test -vet=off -p $(PACKAGES_AT_ONCE)
PACKAGES ?= ./fixtures/servers ./report ./...

# Without data for debuggers, Go compiles in a seventh less CPU time; panics still name their
# lines. The variable also reaches the programs that tests build, and `make lint`, which
# compiles the same packages: with other flags they would be compiled once more.
test test-all race lint: export GOFLAGS := $(GOFLAGS) -gcflags=all=-dwarf=false

# Compilers and tests are short-lived: with GOGC=1000 they need a quarter less CPU time, and
# 800 MB at most. All trials and the race detector would need much more memory.
test: ## Run the tests of PACKAGES, with one seed of each random world
	GOGC=1000 $(GO_TEST) $(PACKAGES)

# Tests with this tag compile Prometheus' parser.
test-all fuzz: export GOFLAGS := $(GOFLAGS) -tags=prometheus

test-all: ## Run the tests of PACKAGES with all seeds, formats and sizes
	LOGSCAN_TRIALS=all GOGC=400 $(GO_TEST) $(PACKAGES)

# The race detector is ten times slower: -short runs scenarios once, on small logs, and
# the simulators and tools in fixtures, which the program does not contain, are left out.
race: ## Run the tests with the race detector, RACE_FLAGS= runs them all
	CGO_ENABLED=1 GOGC=400 $(GO_TEST) -race $(RACE_FLAGS) -timeout 60m ./analyze/... ./cmd/... ./parse/... ./report/...

# Building the linter takes minutes, once.
$(LINT):
	mkdir -p bin
	GOBIN=$(CURDIR)/bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
	mv bin/golangci-lint $@

lint: $(LINT) ## Run the linters
	$(LINT) run ./...

check: lint test race ## Run all checks required before a change is proposed

fuzz: ## Run each fuzz target for FUZZTIME
	@set -e; for package in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			echo "$$package $$target"; \
			go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x $$package; \
		done; \
	done

# A separate module, because DuckDB is large and needs a C compiler.
duckdb: build ## Compare the Parquet tables, read by DuckDB, with the raw logs
	@if command -v $${CC:-cc} >/dev/null; then \
		cd fixtures/duckdbtest && CGO_ENABLED=1 go test -mod=mod -count=1 -v ./...; \
	else echo "duckdb: skipped: no C compiler"; fi

readers: build ## Read the Parquet tables with Polars, pyarrow and Spark from PyPI
	fixtures/readers/run.sh

test-cluster: build ## Compare runs on Spark and Flink, started on this machine, with a scan (CLUSTER_SIZE)
	fixtures/cmd/cluster/run.sh

.tools/axe.min.js:
	mkdir -p .tools
	cd .tools && npm pack --silent axe-core@$(AXE_VERSION) >/dev/null && tar xzf axe-core-$(AXE_VERSION).tgz --strip-components=1 package/axe.min.js
	rm .tools/axe-core-$(AXE_VERSION).tgz

axe: .tools/axe.min.js ## Fetch axe-core, for the accessibility test of the report

crash: build ## Test scans that are killed or run out of disk at random moments
	go run ./fixtures/cmd/crash

eval: ## Measure the accuracy on simulated logs, and write docs/ACCURACY.md
	go run ./fixtures/cmd/eval -n 20 -sizes -document docs/ACCURACY.md

bench: build ## Compare the speed with common tools, on 1 GiB of log
	go run ./fixtures/cmd/bench

.tools/node_modules/@duckdb/node-api:
	@if command -v npm >/dev/null; then npm install --silent --no-save --no-audit --prefix .tools @duckdb/node-api@$(DUCKDB_VERSION); \
	else echo "bench-peers: skipping DuckDB: npm is not installed"; fi

# BENCH_FLAGS='-document docs/PERFORMANCE.md' writes the results to that page.
bench-peers: build .tools/node_modules/@duckdb/node-api ## Compare with more tools, also on compressed and JSON logs, and check the targets
	go run ./fixtures/cmd/bench -peers $(BENCH_FLAGS)

bench-growth: build ## Measure how time and memory grow in every dimension of a log
	go run ./fixtures/cmd/bench -growth -size $(GROWTH_SIZE) $(BENCH_FLAGS)

bench-watch: build ## Measure logscan watch on a log that grows by 50,000 lines a second
	go run ./fixtures/cmd/bench -watch $(BENCH_FLAGS)

bench-traps: ## Check that no input takes more than linear time
	go run ./fixtures/cmd/traps

pgo: ## Update the profile that the program is built with
	go run ./fixtures/cmd/bench -profile cmd/logscan/default.pgo -size 256MiB -rounds 20

PLATFORMS = linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64

release: ## Build the release archives, checksums and SBOM into dist
	rm -rf dist && mkdir -p dist
	@set -e; for platform in $(PLATFORMS); do \
		os=$${platform%/*} arch=$${platform#*/} name=logscan_$${platform%/*}_$${platform#*/} suffix=; \
		[ $$os != windows ] || suffix=.exe; \
		echo "$$name"; \
		GOOS=$$os GOARCH=$$arch $(BUILD) -ldflags=-s -o dist/$$name/logscan$$suffix ./cmd/logscan; \
		cp LICENSE README.md CHANGELOG.md dist/$$name/; \
		cp report/page/html/uplot/LICENSE dist/$$name/LICENSE.uplot; \
		tar -C dist -czf dist/$$name.tar.gz $$name; \
	done
	go run $(SBOM) app -json -licenses -main cmd/logscan -output dist/logscan.cdx.json .
	cd dist && sha256sum *.tar.gz logscan.cdx.json > SHA256SUMS

# The version of the packages: that of the last tag.
PACKAGE_VERSION = $(shell git describe --tags --match 'v*' 2>/dev/null | sed s/^v// | grep . || echo 0.0.0)

package: build ## Build deb and rpm packages into dist
	mkdir -p dist/share
	bin/logscan man > dist/share/logscan.1
	bin/logscan completion bash > dist/share/logscan.bash
	bin/logscan completion zsh > dist/share/_logscan
	bin/logscan completion fish > dist/share/logscan.fish
	@set -e; for arch in amd64 arm64; do \
		GOOS=linux GOARCH=$$arch $(BUILD) -ldflags=-s -o dist/logscan_linux_$$arch/logscan ./cmd/logscan; \
		for packager in deb rpm; do \
			ARCH=$$arch VERSION=$(PACKAGE_VERSION) go run $(NFPM) package -f docs/operations/nfpm.yaml -p $$packager -t dist/; \
		done; \
	done

clean: ## Remove all generated files
	rm -rf bin dist .bench .tools screenshots logscan-out
