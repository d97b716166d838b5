"""The demonstration: an embedded cluster, two sidecars, the reference's steps, and what came of it.

Everything runs as a user would run it: processes of their own, REST over HTTP, a real client
library (kafka-python). Nothing is read from inside the sidecars but their log and /metrics.
"""
