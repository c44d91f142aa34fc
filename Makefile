# `make` lists the targets. Everything a target needs it sets up itself.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup build simulators demo serve test test-native test-workerd bench bench-peers weather bugs fuzz chaos fmt deploy clean

WORKER_SOURCES := Cargo.toml Cargo.lock $(shell find src migrations -type f)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

setup: ## what building needs: npm packages, wasm32 std, worker-build, wasm-bindgen
	@scripts/setup

build: build/index.js ## the Worker, as wasm, in build/

build/index.js: $(WORKER_SOURCES) | setup
	@scripts/build

demo: build simulators ## everything on this machine, SYSPRO and HubSpot simulated (CUSTOMERS, INVOICES, SEED, PORT, ONCE=1)
	@exec node scripts/demo.mjs

serve: build ## the Worker on local D1 (PORT, STATE, ADMIN_TOKEN, MASTER_KEY, ALLOW_HTTP, ALLOW_HOSTS)
	@exec node scripts/serve.mjs

test: ## everything CI runs, cheap things first
	@scripts/setup check
	$(MAKE) test-native
	$(MAKE) test-workerd

test-native: ## formatting, lints, tests and docs; needs no wasm
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo test --workspace --locked
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --document-private-items --locked

test-workerd: build ## the built wasm: its size, and in workerd, end to end
	@scripts/size
	cargo test --workspace --locked --test it workerd:: -- --ignored --nocapture --test-threads 1

simulators: ## SYSPRO and HubSpot as the demo and the tests meet them
	@cargo build --quiet --locked --package simulators

bench: build ## what it costs: calls, pace, statements, processor time, the wasm (ONLY=calls, pace, cpu or wasm)
	cargo bench --locked --bench figures

bench-peers: simulators ## other tools on the same loads, put into target/peers; `make bench` first to see ours beside
	@exec node benches/peers/run.mjs

weather: ## the seeds of bad days, faults counted (SEEDS=100000, FROM=n to go on, SEED=n for one)
	time SEEDS=$(or $(SEEDS),10000) cargo test --profile bench --locked --test it weather::whatever -- --nocapture

fuzz: ## changed documents through everything that reads the outside (CASES=1000000, SEED=n for one)
	time CASES=$(or $(CASES),1000000) cargo test --locked --test it fuzz:: -- --nocapture

chaos: build ## a load in workerd, killed again and again (KILLS=30, SEED)
	KILLS=$(or $(KILLS),30) cargo test --locked --test it workerd::killed -- --ignored --nocapture

bugs: ## bugs made on purpose, each of which the weather must show (BUG=words for some of them)
	cargo test --locked --test it bugs:: -- --include-ignored --nocapture

fmt: ## formats the code
	cargo fmt --all

deploy: build ## builds, migrates the remote D1, deploys; needs `npx wrangler login` or CLOUDFLARE_API_TOKEN
	@scripts/deploy

clean: ## removes what was built here; the per-user cache of tools stays
	cargo clean
	rm -rf build node_modules
