"""The control side: plain thread-safe objects that decide what the data side does.

Native threads (gRPC's, tests') call in at will; nothing here knows of gRPC, HTTP or gevent. A write
takes a lock, builds a new immutable `Snapshot` and hands it to an injected ``publish``, which swaps
one reference: when the call returns, the next request is affected. The data side takes no lock.

How the parts are built, in this order::

    journal = Journal(capacity=10_000)                # hub calls journal.publish(injection)
    state = ControlState(publish)                     # the snapshot and the writers' lock
    interceptors = InterceptorService(state, journal, process_seed=None)
    leases = LeaseService(state)
    clusters = VirtualClusterService(state, client_source)   # hub calls clusters.claim()
    mappings = UserMappingService(state, clusters.claim)
    aliases = AliasTopicService(state, clusters.claim, topic_source)
    tokens = TokenAuthority(secret_key)               # 32 bytes or more; hub calls tokens.verify()
    users = AdminUsers([("admin", "conduktor", True)])

`ports` says what the control API needs from others: sources of status, metrics, clients, topics.
"""
