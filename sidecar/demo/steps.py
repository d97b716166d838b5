"""The reference demo's steps, each shown as the command a user would type, then done."""

import base64
import json
import urllib.error
import urllib.request
from typing import Any, Final

from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from sidecar.demo.processes import HTTP, DemoError, Gateway

VIRTUAL_CLUSTER: Final = "teamA"
USERNAME: Final = "sa"
TOPIC: Final = "my-topic"
INTERCEPTOR: Final = "simulate-leader-elections-errors"
_PLUGIN: Final = "io.conduktor.gateway.interceptor.chaos.SimulateLeaderElectionsErrorsPlugin"
_ADMIN: Final = "admin:conduktor"


def heading(text: str) -> None:
    """Announce a step."""
    print(f"\n## {text}\n", flush=True)


def create_token(gateway: Gateway) -> str:
    """Step: a virtual cluster and a token for its service account."""
    heading(f"Creating virtual cluster {VIRTUAL_CLUSTER}")
    path = f"/admin/vclusters/v1/vcluster/{VIRTUAL_CLUSTER}/username/{USERNAME}"
    answer = _call(gateway, "POST", path, {"lifeTimeSeconds": 7776000}, 201)
    return str(answer["token"])


def client_settings(gateway: Gateway, token: str) -> dict[str, Any]:
    """What a client needs to come in through the sidecar, in kafka-python's words."""
    return {
        "bootstrap_servers": gateway.bootstrap,
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": USERNAME,
        "sasl_plain_password": token,
    }


def create_topic(gateway: Gateway, settings: dict[str, Any]) -> None:
    """Step: a topic, through the sidecar."""
    heading(f"Creating topic {TOPIC} on {VIRTUAL_CLUSTER}")
    print(
        "With Kafka's own tools:\n"
        f"    kafka-topics --bootstrap-server {gateway.bootstrap} \\\n"
        "        --command-config teamA-sa.properties --create --if-not-exists \\\n"
        f"        --replication-factor 1 --partitions 1 --topic {TOPIC}\n"
        "kafka-python's admin client does the same here:"
    )
    admin = KafkaAdminClient(**settings)
    try:
        admin.create_topics([NewTopic(TOPIC, num_partitions=1, replication_factor=1)])
    finally:
        admin.close()
    print(f"Created topic {TOPIC}.")


def add_interceptor(gateway: Gateway, rate: float) -> None:
    """Step: the fault."""
    heading(f"Adding interceptor {INTERCEPTOR}")
    body = {
        "pluginClass": _PLUGIN,
        "priority": 100,
        "config": {"rateInPercent": int(rate) if rate == int(rate) else rate},
    }
    _call(gateway, "POST", f"{_interceptors()}/interceptor/{INTERCEPTOR}", body, 201)


def list_interceptors(gateway: Gateway) -> None:
    """Step: what is configured."""
    heading(f"Listing interceptors for {VIRTUAL_CLUSTER}")
    listed = _call(gateway, "GET", _interceptors(), None, 200)
    names = [entry["name"] for entry in listed["interceptors"]]
    if names != [INTERCEPTOR]:
        raise DemoError(f"the list has {names}, expected only {INTERCEPTOR}")


def remove_interceptor(gateway: Gateway) -> None:
    """Step: the end of the fault."""
    heading(f"Removing interceptor {INTERCEPTOR}")
    _call(gateway, "DELETE", f"{_interceptors()}/interceptor/{INTERCEPTOR}", None, 204)


def injections_counted(gateway: Gateway) -> int:
    """What /metrics says has been injected."""
    text = _request(gateway, "GET", "/metrics", None)[1].decode()
    lines = (line for line in text.splitlines() if line.startswith("kafka_chaos_injections_total"))
    return int(sum(float(line.rsplit(" ", 1)[1]) for line in lines))


def _interceptors() -> str:
    return f"/admin/interceptors/v1/vcluster/{VIRTUAL_CLUSTER}"


def _call(gateway: Gateway, method: str, path: str, body: Any, expected: int) -> Any:
    """Show the curl command, make the same request, show and check the answer."""
    data = None if body is None else json.dumps(body)
    print(f"    curl --request {method} '{gateway.admin_url}{path}' \\")
    print(f"        --header 'Content-Type: application/json' --user '{_ADMIN}' --silent", end="")
    print(f" \\\n        --data-raw '{data}'\n" if data else "\n")
    status, text = _request(gateway, method, path, data)
    answer = json.loads(text) if text else None
    if answer is not None:
        print(json.dumps(answer, indent=2))
    if status != expected:
        raise DemoError(f"{method} {path} answered {status}, expected {expected}")
    return answer


def _request(gateway: Gateway, method: str, path: str, data: str | None) -> tuple[int, bytes]:
    credentials = base64.b64encode(_ADMIN.encode()).decode()
    request = urllib.request.Request(
        gateway.admin_url + path,
        method=method,
        data=data.encode() if data else None,
        headers={"Authorization": f"Basic {credentials}", "Content-Type": "application/json"},
    )
    try:
        with HTTP.open(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()
