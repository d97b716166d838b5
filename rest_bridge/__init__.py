"""Conduktor Gateway's admin API on top of the sidecar's gRPC API, for scripts that speak it.

v1 is in this package, v2 in `rest_bridge.v2`.

A client of the API in `protos/` like any other: it holds no state and no users, and can run in the
sidecar's process or alone in front of a remote sidecar. The app builds it as::

    bridge = BridgeServer("127.0.0.1:50051", host="0.0.0.0", port=8888)   # target or grpc.Channel
    bridge.start()   # own thread; OSError names the port when it is taken; `bridge.port`
    bridge.stop()
"""
