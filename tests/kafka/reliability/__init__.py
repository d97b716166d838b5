"""Faults of the sidecar's own world, tried on real Kafka under load: ``make faults``."""
