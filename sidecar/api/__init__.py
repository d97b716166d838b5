"""The gRPC door to `sidecar.control`: translates, checks who asks, and translates back.

It runs on gRPC's own native threads and holds no behaviour of the product. Built by the app as::

    services = Services(
        interceptors=interceptors, leases=leases, state=state, virtual_clusters=clusters,
        user_mappings=mappings, alias_topics=aliases, tokens=tokens, journal=journal,
        status=status_source, metrics=metrics_source,
        build=BuildInfo(version=..., time=..., commit=...), start_time=time.time(),
    )
    server = ControlServer(services, users, host="127.0.0.1", port=50051, metrics_open=False)
    server.start()          # OSError names the port when it is taken; `server.port` is the real one
    server.stop(grace=5.0)  # blocks until calls have ended or the grace is over
"""
