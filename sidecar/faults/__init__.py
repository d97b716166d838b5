"""What each kind of fault does, as pure decisions: no clock, no randomness, no sockets, no logging.

To add a kind: its data in `sidecar.model.faults`, its rule in a file of its own here, and one line
in `sidecar.faults.registry`.
"""
