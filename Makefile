# Everything a newcomer needs: `make demo`, `make test`. `make help` lists the rest.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
.DEFAULT_GOAL := help

.PHONY: help demo oracle fidelity faults soak fuzz storm test test-fast check fmt proto vectors bench bench-quick bench-extra bench-kafka bench-codec clean api-coverage faults-doc

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; say which with: make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(BIN)/python pyproject.toml
	@echo "installing the sidecar and the demo's client into $(VENV) ..."
	@$(BIN)/pip install --disable-pip-version-check --quiet --editable '.[demo]'
	@touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml
	@echo "installing everything tests and checks need into $(VENV) ..."
	@$(BIN)/pip install --disable-pip-version-check --quiet --editable '.[dev]'
	@touch $(VENV)/.demo $@

ifdef KAFKA
demo: $(VENV)/.dev
	@$(BIN)/python -m tests.kafka.demo $(ARGS)
else
demo: $(VENV)/.demo ## the reference demo on the embedded cluster; KAFKA=1: on real Kafka (Java, Maven)
	@$(BIN)/chaos-sidecar demo $(ARGS)
endif

test: $(VENV)/.dev ## all tests; those with real Kafka skip where Java 17 or Maven is missing
	@$(BIN)/python -m tests $(ARGS)

test-fast: $(VENV)/.dev ## all tests but those with real Kafka
	@$(BIN)/python -m pytest -m 'not kafka' $(ARGS)

api-coverage: $(VENV)/.dev ## docs/api-coverage.md anew, from real Kafka (Java, Maven)
	@$(BIN)/python -m tests.kafka.api_matrix

oracle: $(VENV)/.dev ## five minutes of mixed faults on real Kafka (ARGS="--seconds 60 --seed 7"), and who lost what
	@$(BIN)/python -m tests.kafka.oracle $(ARGS)

fidelity: $(VENV)/.dev ## docs/fidelity.md anew: real elections beside ours, half an hour (ARGS=--help)
	@$(BIN)/python -m tests.kafka.fidelity $(ARGS)

faults: $(VENV)/.dev ## every fault of the world around a sidecar, on real Kafka: the table in docs/reliability.md anew
	@$(BIN)/python -m tests.kafka.reliability $(ARGS)

soak: $(VENV)/.dev ## ten minutes of load, half refused, brokers bounced: is everything flat? (ARGS="--minutes 60")
	@$(BIN)/python -m tests.kafka.reliability.soak $(ARGS)

fuzz: $(VENV)/.dev ## every parser that faces the network, ten minutes (ARGS="--minutes 60")
	@$(BIN)/python -m tests.fuzz $(ARGS)

storm: $(VENV)/.dev ## two hundred thousand malformed frames against one sidecar: two minutes
	@MALFORMED_FRAMES=202000 $(BIN)/python -m pytest tests/robustness/test_malformed_frames.py $(ARGS)

check: $(VENV)/.dev ## format, lint, types, import rules, protos, Dockerfile, compose file
	@PATH="$(CURDIR)/$(BIN):$$PATH" .ci/check

fmt: $(VENV)/.dev ## format the code
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

proto: $(VENV)/.dev ## generate sidecar/gen from protos/
	@$(BIN)/python protos/generate.py

faults-doc: $(VENV)/.dev ## the tables in docs/faults.md anew, from protos/
	@$(BIN)/python -m tests.faults_doc

vectors: $(VENV)/.dev ## make the codec's vectors of a Kafka release anew (KAFKA=4.3.0; Java, Maven)
	@$(BIN)/python -m tests.vectors.generate $(KAFKA) $(ARGS)

bench: $(VENV)/.dev ## the sidecar beside other proxies; says how long it will take (ARGS=--list)
	@$(BIN)/python bench/run.py $(ARGS)

bench-quick: $(VENV)/.dev ## a selection of that, in about two minutes
	@$(BIN)/python bench/run.py --quick $(ARGS)

bench-extra: $(VENV)/.dev ## memory, start, growth, workers, neighbours: about six minutes
	@$(BIN)/python bench/extra.py $(ARGS)

bench-kafka: $(VENV)/.dev ## before three real brokers (Java, Maven): about ten minutes
	@$(BIN)/python bench/real_kafka.py $(ARGS)

bench-codec: $(VENV)/.dev ## the codec against kafka-python and aiokafka, large Metadata
	@$(BIN)/python bench/codec_peers.py $(ARGS)

clean: ## remove what make made
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build *.egg-info
