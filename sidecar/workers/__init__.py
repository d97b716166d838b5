"""More than one process on the client ports (GATEWAY_WORKERS), under one control API.

The process that is started stays what it is, and is worker 0. The others are its children: they
relay and inject, and know nothing of gRPC, REST or metrics. `fleet` keeps them in the first
process, `worker` is what runs in theirs, `messages` is what is said between them. See ADR 7.
"""
