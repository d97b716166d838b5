"""The later edition of the demo with curl against a whole sidecar: from the PUT to the client."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.rest_bridge.v2.harness import GROUP, INTERCEPTOR, SERVICE_ACCOUNT, VIRTUAL_CLUSTER
from tests.sidecar.test_app import Whole

FILE = Path(__file__).parents[3] / "compose" / "step-07-v2-simulate-leader-elections-errors.json"
NAME = "simulate-leader-elections-errors"

# Where nothing may be skipped, the lack of it fails the tests.
MISSING = shutil.which("curl") is None and os.environ.get("KAFKA_REQUIRED") != "1"
pytestmark = pytest.mark.skipif(MISSING, reason="curl is not on PATH")


@pytest.fixture
def whole() -> Iterator[Whole]:
    """A sidecar in front of a broker, without authentication as in the recorded demo."""
    with ExitStack() as stack:
        yield Whole(stack)


def curl(
    whole: Whole, *arguments: str, path: str, user: str = "admin:conduktor"
) -> tuple[int, str]:
    """Return status and body; the arguments are those of the demo's steps."""
    url = f"http://127.0.0.1:{whole.port + 2}{path}"
    command = ["curl", "--silent", "--show-error", "--max-time", "10", "--user", user, *arguments]
    command += ["--header", "Content-Type: application/json", "--write-out", "\n%{http_code}", url]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=20)
    text, _, status = done.stdout.rpartition("\n")
    return int(status), text


def put(whole: Whole, path: str, body: str) -> tuple[int, str]:
    status, text = curl(whole, "--request", "PUT", "--data", body, path=path)
    return status, json.loads(text).get("upsertResult", text)


def test_the_demo(whole: Whole) -> None:
    assert curl(whole, path=INTERCEPTOR) == (200, "[]")
    assert put(whole, f"{INTERCEPTOR}?dryMode=true", f"@{FILE}") == (200, "CREATED")
    assert whole.produce() == [0]

    status, text = curl(whole, "--request", "PUT", "--data", f"@{FILE}", path=INTERCEPTOR)
    sent = json.loads(FILE.read_text())
    scope = '"scope":{"vCluster":"passthrough","group":null,"username":null}'
    expected = json.dumps(sent, separators=(",", ":")).replace(
        f'"{NAME}"}}', f'"{NAME}",{scope}}}', 1
    )
    assert (status, text) == (200, f'{{"resource":{expected},"upsertResult":"CREATED"}}')
    assert curl(whole, path=INTERCEPTOR) == (200, f"[{expected}]")

    codes = []
    for _ in range(60):
        codes += whole.produce()
        whole.read_log()  # what cannot be logged is not injected, and the pipe is small
    refused = codes.count(6)
    assert 10 < refused < 50  # by chance it is outside once in six million runs
    assert set(codes) == {0, 6}
    assert len(whole.broker.received) == 1 + codes.count(0)
    events = whole.events("fault_injected")
    assert len(events) == refused
    assert {event["interceptor"] for event in events} == {NAME}

    scope = '{"vCluster":"passthrough","group":null,"username":null}'
    item = f"{INTERCEPTOR}/{NAME}"
    assert curl(whole, "--request", "DELETE", "--data", scope, path=item) == (204, "")
    assert curl(whole, path=INTERCEPTOR) == (200, "[]")
    assert [whole.produce() for _ in range(20)] == [[0]] * 20


def test_the_order_of_things(whole: Whole) -> None:
    """Virtual cluster, account, group, interceptor; and back, in the opposite order only."""

    def resource(kind: str, metadata: object, spec: object) -> str:
        whole = {"kind": kind, "apiVersion": "gateway/v2", "metadata": metadata, "spec": spec}
        return json.dumps(whole)

    user = {"vCluster": "teamA", "name": "sa"}
    interceptor = json.loads(FILE.read_text())
    interceptor["metadata"]["scope"] = {"vCluster": "teamA", "group": "dev"}
    steps = [
        (VIRTUAL_CLUSTER, resource("VirtualCluster", {"name": "teamA"}, {})),
        (SERVICE_ACCOUNT, resource("GatewayServiceAccount", user, {"type": "LOCAL"})),
        (GROUP, resource("GatewayGroup", {"name": "dev"}, {"members": [user]})),
        (INTERCEPTOR, json.dumps(interceptor)),
    ]
    for path, body in reversed(steps[2:]):
        assert put(whole, path, body)[0] == 404
    for path, body in steps:
        assert put(whole, path, body) == (200, "CREATED")
    for path, body in steps:
        assert put(whole, path, body) == (200, "NOT_CHANGED")

    asked = '{"vCluster":"teamA","username":"sa"}'
    status, text = curl(whole, "--data", asked, path=f"{INTERCEPTOR}/resolve")
    assert (status, [item["metadata"]["name"] for item in json.loads(text)]) == (200, [NAME])

    def delete(path: str, body: str) -> int:
        return curl(whole, "--request", "DELETE", "--data", body, path=path)[0]

    deletions = [
        (f"{INTERCEPTOR}/{NAME}", '{"vCluster":"teamA","group":"dev"}'),
        (f"{GROUP}/dev", ""),
        (SERVICE_ACCOUNT, json.dumps(user)),
        (f"{VIRTUAL_CLUSTER}/teamA", ""),
    ]
    for path, body in reversed(deletions[1:]):
        assert delete(path, body) == 409
    for path, body in deletions:
        assert delete(path, body) == 204


def test_strangers(whole: Whole) -> None:
    assert curl(whole, path=INTERCEPTOR, user="admin:wrong") == (
        401,
        '{"title":"The given credentials are not valid"}',
    )
