"""Plugin classes of the reference and their `config`, as faults of our API and back."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rest_bridge.errors import bad_request
from rest_bridge.json_body import Json, Number, show
from sidecar.gen.kafka.chaos.v1.interceptor_pb2 import Interceptor, LeaderElection

MAX_SEED = 2**64 - 1

_INTEGER = re.compile(r"-?[0-9]{1,20}")


@dataclass(frozen=True, slots=True)
class Plugin:
    """One plugin class.

    Args:
        name: of the class.
        title, description: in few words, and in one sentence.
        readme: Markdown that tells the keys of its config.
        fault: the field of our Interceptor that it sets.
        read: sets that field from a config; raises Refusal (400).
        render: returns the config that describes that field.
    """

    name: str
    title: str
    description: str
    readme: str
    fault: str
    read: Callable[[Mapping[str, Json], Interceptor], None]
    render: Callable[[Interceptor], dict[str, Json]]


def integer(value: Json, name: str, low: int, high: int) -> int:
    """Return `value` as an integer in the range, or raise Refusal (400) that names it."""
    if isinstance(value, Number) and _INTEGER.fullmatch(value.text):
        number = int(value.text)
        if low <= number <= high:
            return number
    raise bad_request(f"{name} is {show(value)}, allowed are integers from {low} to {high}")


def refuse_unknown(body: Mapping[str, Json], allowed: tuple[str, ...], prefix: str = "") -> None:
    """Raise Refusal (400) when `body` has a key that is not `allowed`."""
    for key in body:
        if key not in allowed:
            names = ", ".join(prefix + known for known in allowed)
            raise bad_request(f"{prefix}{show(key)[1:-1]} is not known, allowed are {names}")


def plugin_of(name: Json) -> Plugin:
    """Return the plugin of this class name, or raise Refusal (400)."""
    for plugin in PLUGINS:
        if plugin.name == name:
            return plugin
    allowed = ", ".join(plugin.name for plugin in PLUGINS)
    raise bad_request(f"pluginClass is {show(name, 200)}, allowed are {allowed}")


def plugin_for(interceptor: Interceptor) -> Plugin:
    """Return the plugin that stands for this interceptor's fault."""
    fault = interceptor.WhichOneof("fault")
    return next(plugin for plugin in PLUGINS if plugin.fault == fault)


def _read_leader_election(config: Mapping[str, Json], into: Interceptor) -> None:
    refuse_unknown(config, ("rateInPercent", "seed"), "config.")
    if "rateInPercent" not in config:
        raise bad_request("config.rateInPercent is required, allowed are numbers from 0 to 100")
    rate = config["rateInPercent"]
    if not isinstance(rate, Number) or not 0 <= float(rate.text) <= 100:
        raise bad_request(
            f"config.rateInPercent is {show(rate)}, allowed are numbers from 0 to 100"
        )
    into.leader_election.rate_in_percent = float(rate.text)
    if "seed" in config:
        into.leader_election.seed = integer(config["seed"], "config.seed", 0, MAX_SEED)


def _render_leader_election(interceptor: Interceptor) -> dict[str, Json]:
    fault: LeaderElection = interceptor.leader_election
    config: dict[str, Json] = {
        "rateInPercent": Number(repr(fault.rate_in_percent).removesuffix(".0"))
    }
    if fault.HasField("seed"):
        config["seed"] = Number(str(fault.seed))
    return config


_LEADER_ELECTION_README = """\
# Leader election errors

Sampled Produce requests are answered with `NOT_LEADER_OR_FOLLOWER` and never reach the broker, so
that producers refresh their metadata and retry.

| key | type | default | meaning |
|---|---|---|---|
| `rateInPercent` | number from 0 to 100 | required | share of Produce requests that get the error |
| `seed` | integer from 0 to 18446744073709551615 | chosen by the sidecar | repeats the same draws |
"""

PLUGINS = (
    Plugin(
        "io.conduktor.gateway.interceptor.chaos.SimulateLeaderElectionsErrorsPlugin",
        "Leader election errors",
        "Answers sampled Produce requests as a broker that lost its leadership would.",
        _LEADER_ELECTION_README,
        "leader_election",
        _read_leader_election,
        _render_leader_election,
    ),
)
"""Every class there is."""
