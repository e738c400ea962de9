# What one does here; `make help` lists it.

# Where the roots with the newest servers are made; a gigabyte each.
NEWEST ?= /var/tmp/vitrin-newest
NEWEST_TEST := env --unset=RUST_BACKTRACE tests/within 20m tests/newest-servers

# Most tests wait for a server rather than work: twice as many at a time as there are processors.
export RUST_TEST_THREADS ?= $(shell echo $$((2 * $$(nproc))))

.DEFAULT_GOAL := help
.PHONY: help run packages bless test test-newest drills bench bench-log bench-marketplaces bench-security fuzz soak demo deb arm64

help: ## This list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 25

run: ## Start the exporter: http://127.0.0.1:22100/metrics
	cargo run --release

demo: ## A small shop, watched: the whole stack on this machine until Ctrl-C (Debian; sudo if packages are missing)
	tests/install-packages demo/packages
	cargo build --release --locked
	@demo/run --vitrin "$${CARGO_TARGET_DIR:-target}/release/vitrin"

deb: ## Build the Debian package: target/debian; DEB= for options of cargo-deb
	packaging/deb $(DEB)

arm64: ## Build the program for arm64 on x86-64, and have QEMU run it (root)
	packaging/arm64

packages: ## Install the servers and tools that the tests need (Debian; root or sudo)
	tests/install-packages

bless: ## Write dashboards in their one form, after one was changed in Grafana and saved over its file
	UPDATE_EXPECT=1 cargo test --locked --quiet --test it grafana::canonical

test: packages ## Everything that must hold before a change lands (root)
	packaging/deb --version
	cargo fmt --check
	cargo clippy --locked --all-targets -- --deny warnings
	env --unset=RUST_BACKTRACE tests/within 25m cargo test --locked
	RUSTDOCFLAGS='--deny warnings' cargo doc --locked --no-deps --document-private-items

test-newest: packages ## What depends on a server, against the newest: MySQL, Valkey, MariaDB (root)
	$(NEWEST_TEST) mysql $(NEWEST)-mysql cargo test --locked --test it -- --skip package:: --skip compose::image:: \
		--skip marketplace:: --skip simulate::
	$(NEWEST_TEST) mysql $(NEWEST)-mysql cargo test --locked --test drills
	VITRIN_TEST_REDIS=valkey-server $(NEWEST_TEST) mysql $(NEWEST)-mysql cargo test --locked --test it -- redis
	$(NEWEST_TEST) mariadb $(NEWEST)-mariadb cargo test --locked --test it -- mysql backends:: check:: crowd:: discovery:: \
		faults:: formats:: fresh:: secrets:: side_by_side::

drills: packages ## Break a real shop in every way, see who is called, and write docs/drills.md (root)
	env --unset=RUST_BACKTRACE cargo test --locked --test drills -- --all --report
	env --unset=RUST_BACKTRACE tests/newest-servers mysql $(NEWEST)-mysql cargo test --locked --test drills -- --all --report

bench: packages ## What a scrape costs, beside the exporters that it replaces; and the other benches (root)
	tests/newest-servers mysql $(NEWEST)-mysql
	env --unset=RUST_BACKTRACE cargo bench --locked --bench against_peers -- --newest $(NEWEST)-mysql
	$(MAKE) --no-print-directory bench-log bench-marketplaces bench-security

bench-log: ## What reading an access log costs, beside mtail and GoAccess: docs/performance.md (root)
	tests/install-packages tests/packages-bench
	env --unset=RUST_BACKTRACE cargo bench --locked --bench access_log

bench-marketplaces: packages ## What accounts at marketplaces cost: docs/performance.md (root)
	env --unset=RUST_BACKTRACE cargo bench --locked --bench marketplaces

bench-security: packages ## What the security score costs: docs/performance.md (root)
	env --unset=RUST_BACKTRACE cargo bench --locked --bench security

fuzz: ## 10 million executions of each fuzzer; RUNS= for another number, JOBS= at a time (a C++ compiler)
	fuzz/run

soak: packages ## A day of scrapes, back to back, while the servers fail in every way
	cargo bench --locked --bench soak
