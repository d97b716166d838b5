"""Observations as messages."""

from typing import Any

from google.protobuf.duration_pb2 import Duration

from sidecar.api.convert import printable, timestamp
from sidecar.gen.kafka.chaos.v1 import observation_pb2 as pb
from sidecar.model.observation import Observation, Recovery


def observation_to_proto(
    sequence: int, observation: Observation
) -> pb.Recovery | pb.SequenceAnomaly:
    """Return the message; what was not known stays unset."""
    known: dict[str, Any] = {
        name: printable(value) if isinstance(value, str) else value
        for name, value in observation.as_dict().items()
        if name not in ("time", "seconds") and value is not None
    }
    time = timestamp(observation.time)
    if isinstance(observation, Recovery):
        duration = Duration()
        duration.FromMicroseconds(round(observation.seconds * 1e6))
        return pb.Recovery(sequence=sequence, time=time, duration=duration, **known)
    return pb.SequenceAnomaly(sequence=sequence, time=time, **known)
