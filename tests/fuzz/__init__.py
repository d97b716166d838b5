"""Every parser that faces the network, fed with whatever a coverage-guided fuzzer thinks of."""
