"""A small, honest Kafka broker cluster in one process, for trials and fast tests.

Memory only: no disk, no replication traffic, no transactions, no SASL or TLS, classic consumer
groups only. What it does offer it does as Kafka does: leaders and leader epochs per partition,
idempotent producers, checksums, consumer groups, long polls. Nothing is ever evicted; a cluster
that has reached its byte limit refuses further records with KAFKA_STORAGE_ERROR.
"""
