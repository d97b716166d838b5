"""What is measured: every target the bench knows, in the order of its tables."""

from targets.base import Running, Target
from targets.go import KafkaProxy, Toxiproxy
from targets.kroxylicious import Kroxylicious
from targets.relays import Direct, Envoy, HAProxy, Nginx
from targets.sidecar import Inject50, Mapped, NoMatch, Observed, Pass

REGISTRY: tuple[Target, ...] = (
    Direct(),
    Pass(),
    NoMatch(),
    Mapped(),
    Inject50(),
    Observed(),
    HAProxy(),
    Nginx(),
    Envoy(),
    Toxiproxy(),
    KafkaProxy(),
    Kroxylicious(),
)
"""A new target is a class with `prepare`, `version` and `start`, and one line here."""

BY_NAME = {target.name: target for target in REGISTRY}

__all__ = ["BY_NAME", "REGISTRY", "Running", "Target"]
