"""What happens to a request and its response, without sockets, clocks or random sources.

A `session.Session` is fed frames and returns actions; `sidecar.net` carries them out.
"""
