# The words a person needs: `make demo` and `make test`. What CI runs is `make test`.
#
# One profile: everything below shares the release artifacts.

CARGO ?= cargo
HOMEPORT := target/release/homeport
TOOLS := .tools

.PHONY: build demo test check unit outside prove bench clean-tools

build:
	$(CARGO) build --release --locked

# The sample backend, running: the page's URL, keys and a first tour are printed. ARGS=--check walks it and ends.
demo: build
	@bash examples/notes/demo.sh $(ARGS)

# All that must hold on every change: some 40 minutes in a new clone on two cores, 15 of them tests.
test: check unit outside
	@bash examples/notes/demo.sh --check

# Form: formatting, lints, and files that are written from the code.
check:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --workspace --all-targets --locked -- -D unused -D clippy::disallowed_methods
	@if command -v cargo-deny >/dev/null 2>&1; then cargo deny --offline check bans licenses sources; \
	 else echo "SKIPPED cargo deny: not installed"; fi

# The crates' own tests: units, properties, vectors, the store's model check, crash and power cut.
unit: build
	@bash tests/install.sh
	$(CARGO) test --release --workspace --locked --no-fail-fast

# The real clients against the program: boto3, the AWS CLI, Amplify, the SDK for JavaScript, a browser.
outside: build
	@bash tests/run.sh

# The long proofs: fifty crashes of each kind, two hundred histories, twenty thousand cases of properties, a minute of
# fuzzing of each kind. FULL=1 for two hundred crashes, a thousand histories, ten minutes of fuzzing.
prove: build
	PROVE=1 PROPTEST_CASES=20000 $(CARGO) test --release --workspace --locked --no-fail-fast
	PROVE=1 bash tests/run.sh
	bash fuzz/run.sh

# Ratios against a peer or a bound measured in the same run.
bench: build
	@bash bench/run.sh $(ARGS)

clean-tools:
	rm -rf $(TOOLS)
