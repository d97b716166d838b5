"""What each kind of fault does, as pure decisions: no clock, no randomness, no sockets, no logging.

To add a kind: its data and its rule in a file of its own here, one line in
`sidecar.faults.registry`, and a message in `protos/`. `docs/writing-a-fault.md` leads through it.
"""
