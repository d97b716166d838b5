"""A small, honest Kafka broker cluster in one process, for trials and fast tests.

Memory only: no disk, no replication traffic, no transactions, no SASL or TLS, classic consumer
groups only. What it does offer it does as Kafka does: leaders and leader epochs per partition,
idempotent producers, checksums, consumer groups, long polls. Nothing is ever evicted; a cluster
that has reached its byte limit refuses further records with KAFKA_STORAGE_ERROR.

Where it is simpler than Kafka, clients are told so by the protocol's own means: fetch sessions are
declined, transactional ids are not authorised, group instance ids are ignored. Every replica is
always in sync, the first broker is the controller, and any other broker takes its requests.
"""
