# What one types here. `make check` is the line before a change is proposed.

FUZZTIME ?= 30s
LINT_VERSION = v2.15.0
LINT = bin/golangci-lint-$(LINT_VERSION)

.PHONY: build test race lint bench bench-peers bench-growth bench-traps pgo eval crash demo axe fuzz duckdb release package check clean

# The program is built by cmd/logscan/default.pgo, which `make pgo` makes. Tests
# and tools are not: Go would compile every package once more for them.
export GOFLAGS := $(GOFLAGS) -pgo=off

# The commit is stamped in where git can tell it.
VCS = $(shell git rev-parse HEAD >/dev/null 2>&1 && echo true || echo false)

build:
	CGO_ENABLED=0 go build -pgo=auto -trimpath -buildvcs=$(VCS) -o bin/logscan ./cmd/logscan

test:
	go test ./...

# Under the detector, ten times slower, each scenario runs once and small.
race:
	CGO_ENABLED=1 go test -race -short -timeout 20m ./...

# Building the linter takes minutes, once.
$(LINT):
	mkdir -p bin
	GOBIN=$(CURDIR)/bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
	mv bin/golangci-lint $@

lint: $(LINT)
	$(LINT) run ./...

# logscan beside the tools people use, on a GiB of log that is generated once.
bench: build
	go run ./fixtures/cmd/bench

# The same beside more of them, on rotated, compressed and JSON logs too, against
# what logscan is to reach. DuckDB is had from npm where that is; what is not
# installed is left out and said so. BENCH_FLAGS='-document docs/PERFORMANCE.md'
# puts the results there.
DUCKDB_VERSION = 1.5.6-r.1
.tools/node_modules/@duckdb/node-api:
	@if command -v npm >/dev/null; then npm install --silent --no-save --no-audit --prefix .tools @duckdb/node-api@$(DUCKDB_VERSION); \
	else echo "bench-peers: no npm to install DuckDB with"; fi

bench-peers: build .tools/node_modules/@duckdb/node-api
	go run ./fixtures/cmd/bench -peers $(BENCH_FLAGS)

# How time and memory grow with the lines and the clients of a log.
GROWTH_SIZE ?= 256MiB
bench-growth: build
	go run ./fixtures/cmd/bench -growth -size $(GROWTH_SIZE) $(BENCH_FLAGS)

# The profile that go build finds and builds the program by. Made anew when what
# is done for every line has changed.
pgo:
	go run ./fixtures/cmd/bench -profile cmd/logscan/default.pgo -size 256MiB -rounds 3

# What an attacker writes must not take more than linear time.
bench-traps:
	go run ./fixtures/cmd/traps

# How well simulated troubles are found: docs/ACCURACY.md.
eval:
	go run ./fixtures/cmd/eval -n 20 -sizes -document docs/ACCURACY.md

# Scans that are killed, or run out of disk, at random moments.
crash: build
	go run ./fixtures/cmd/crash

demo: build
	bin/logscan scan -o logscan-out fixtures/logs
	@echo "open $(CURDIR)/logscan-out/report.html"

# axe-core, which looks whether the report is accessible: a test skips without.
AXE_VERSION = 4.14.1
.tools/axe.min.js:
	mkdir -p .tools
	cd .tools && npm pack --silent axe-core@$(AXE_VERSION) >/dev/null && tar xzf axe-core-$(AXE_VERSION).tgz --strip-components=1 package/axe.min.js
	rm .tools/axe-core-$(AXE_VERSION).tgz

axe: .tools/axe.min.js

# Every fuzz target in turn, $(FUZZTIME) each.
fuzz:
	@set -e; for package in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			echo "$$package $$target"; \
			go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x $$package; \
		done; \
	done

# Every table, read by another engine, against the raw logs. A module of its
# own, because DuckDB is large and wants a C compiler.
duckdb: build
	@if command -v $${CC:-cc} >/dev/null; then \
		cd fixtures/duckdbtest && CGO_ENABLED=1 go test -mod=mod -count=1 -v ./...; \
	else echo "duckdb: skipped: no C compiler to link DuckDB with"; fi

# Static programs for everybody, with checksums and what they are made of.
PLATFORMS = linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
SBOM = github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0

release:
	rm -rf dist && mkdir -p dist
	@set -e; for platform in $(PLATFORMS); do \
		os=$${platform%/*} arch=$${platform#*/} name=logscan_$${platform%/*}_$${platform#*/} suffix=; \
		[ $$os != windows ] || suffix=.exe; \
		echo "$$name"; \
		CGO_ENABLED=0 GOOS=$$os GOARCH=$$arch go build -pgo=auto -trimpath -buildvcs=$(VCS) -ldflags=-s -o dist/$$name/logscan$$suffix ./cmd/logscan; \
		cp LICENSE README.md CHANGELOG.md dist/$$name/; \
		cp report/page/html/uplot/LICENSE dist/$$name/LICENSE.uplot; \
		tar -C dist -czf dist/$$name.tar.gz $$name; \
	done
	go run $(SBOM) app -json -licenses -main cmd/logscan -output dist/logscan.cdx.json .
	cd dist && sha256sum *.tar.gz logscan.cdx.json > SHA256SUMS

# deb and rpm of a release that was made.
NFPM = github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.43.0
PACKAGE_VERSION = $(shell git describe --tags --match 'v*' 2>/dev/null | sed s/^v// | grep . || echo 0.0.0)

package: build
	mkdir -p dist/share
	bin/logscan man > dist/share/logscan.1
	bin/logscan completion bash > dist/share/logscan.bash
	bin/logscan completion zsh > dist/share/_logscan
	bin/logscan completion fish > dist/share/logscan.fish
	@set -e; for arch in amd64 arm64; do for packager in deb rpm; do \
		ARCH=$$arch VERSION=$(PACKAGE_VERSION) go run $(NFPM) package -f docs/operations/nfpm.yaml -p $$packager -t dist/; \
	done; done

check: lint test race

clean:
	rm -rf bin dist .bench .tools screenshots logscan-out
