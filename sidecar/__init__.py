"""A Kafka-aware sidecar proxy that injects faults, leader-election errors first of all."""

__version__ = "0.1.0"
