# Everything a change needs. `make` alone lists it. Needs Go and make; tools are run by go run.

GO ?= go
BIN := bin/tidemark

# Rooms where time is real: sockets, disks, processes. Their tests run under the race detector.
REALTIME := ./netx/... ./diskx/... ./node/... ./scenarios/target/process/... \
	./scenarios/target/real/... ./cmd/tidemark/...
# Rooms that are one goroutine by rule: their costly invariants are on in tests.
SIMULATED := ./core/... ./sim/... ./checker/... ./scenarios ./scenarios/workload/... \
	./scenarios/target/simulated/...
# What is left: the outside world, tools, the rules of the house.
# Not among it: the clients of others, which registries hold (make compat).
REST = $(filter-out $(shell $(GO) list $(REALTIME) $(SIMULATED) ./e2e/compat),$(shell $(GO) list ./...))

# The race detector needs a C compiler; without one those rooms are tested without it.
RACE := $(if $(filter 1,$(shell $(GO) env CGO_ENABLED)),-race)

# A bug of history, brought back for the demo to catch.
BROKEN := $(notdir $(firstword $(wildcard scenarios/museum/[0-9]*)))

SEEDS ?= 1..200
SCENARIOS ?= single/crash single/power single/metadata single/rare single/chaos
FUZZTIME ?= 10s
BENCH ?= .
STAGES ?=

power: CYCLES ?= 100
kill: CYCLES ?= 30

.DEFAULT_GOAL := help
.PHONY: help demo run test sweep verify tidy race mutants fuzz bench microbench docs lint ci build clean compat power hostile kill

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

build: ## the command, as bin/tidemark
	$(GO) build -o $(BIN) ./cmd/tidemark

demo: build ## a broker killed under load, every acknowledged record counted; seeds in the simulator
	$(if $(BROKEN),$(GO) run ./cmd/mutants -only $(BROKEN) -build bin/broken)
	$(BIN) demo $(if $(BROKEN),--broken bin/broken)

run: build ## one broker on localhost:9092, its files under .tidemark
	$(BIN) dev --dir .tidemark

test: ## everything that must hold before a change gets in
	$(GO) vet ./...
	$(GO) test -tags slowcheck $(SIMULATED)
	$(MAKE) --no-print-directory race
	$(GO) test $(REST)

sweep: build ## seeds of scenarios in the simulator; SEEDS=1..200 SCENARIOS="single/power"
	$(BIN) sim sweep $(SCENARIOS) --seeds $(SEEDS)

verify: build ## every durability claim shown, and every permitted loss (VERIFY="--seeds 1000")
	$(BIN) verify $(VERIFY)

tidy: ## the rules of the house alone: layout, sizes, names, links, determinism
	$(GO) vet ./...
	$(GO) test . ./cmd/detlint

race: ## the rooms where time is real, under the race detector
	@test -n "$(RACE)" || echo "note: no C compiler found, so the race detector is off"
	$(GO) test $(RACE) $(REALTIME)

mutants: ## builds every broken version kept in the museum and lets the simulator hunt it (M=name: one)
	$(GO) run ./cmd/mutants $(if $(M),-only $(M))

compat: ## clients and tools of others, from their registries, against a broker process; ends with versions and skips
	$(GO) test -count=1 -timeout 30m -v ./e2e/compat

power: ## CYCLES (100) power losses of the process under load, on a disk that forgets; wants /dev/fuse and root
	E2E_CYCLES=$(CYCLES) $(GO) test -count=1 -timeout 60m -v ./e2e/power

kill: ## CYCLES (30) times SIGKILL of the process under load
	E2E_CYCLES=$(CYCLES) $(GO) test -count=1 -timeout 30m -v -run Sigkill ./e2e

hostile: ## thousands of clients that wish the broker ill, at full scale
	E2E_SCALE=100 $(GO) test -count=1 -timeout 30m -v ./e2e/hostile

fuzz: ## every fuzz target for FUZZTIME (10s)
	@set -e; for pkg in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "$$pkg $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$pkg; \
		done; \
	done

bench: build ## Tidemark beside Apache Kafka (from Maven Central), ratios against goals, 7 minutes; STAGES=consume,flood
	$(GO) run ./e2e/bench -binary $(BIN) -only '$(STAGES)'

microbench: ## Go benchmarks; BENCH=name picks some
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem ./...

docs: ## the pages that are generated, anew
	$(GO) test . ./node/config ./node/metrics ./core/api ./scenarios/claims -run 'Page|ProtocolDocument' -update

lint: ## golangci-lint, fetched at its pinned version
	$(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 run

ci: test ## what CI runs on every change

clean: ## what the other targets left here
	rm -rf bin .tidemark
