"""The requests of the recorded demo, and its answers byte for byte as far as jq shows them."""

import json

from sidecar.faults.leader_election import LeaderElection
from sidecar.model.identity import Identity
from tests.rest_bridge.harness import Http
from tests.sidecar.api.harness import NOW, Control

BODY = """\
{
  "pluginClass" : "io.conduktor.gateway.interceptor.chaos.SimulateLeaderElectionsErrorsPlugin",
  "priority" : 100,
  "config" : {
    "rateInPercent" : 50
  }
}
"""

LISTED = """\
{
  "interceptors": [
    {
      "name": "simulate-leader-elections-errors",
      "pluginClass": "io.conduktor.gateway.interceptor.chaos.SimulateLeaderElectionsErrorsPlugin",
      "priority": 100,
      "timeoutMs": 9223372036854775807,
      "config": {
        "rateInPercent": 50
      }
    }
  ]
}
"""

ITEM = "/vcluster/teamA/interceptor/simulate-leader-elections-errors"


def jq(text: str) -> str:
    return json.dumps(json.loads(text), indent=2) + "\n"


def test_token(http: Http, control: Control) -> None:
    path = "/admin/vclusters/v1/vcluster/teamA/username/sa"
    answer = http("POST", path, '{"lifeTimeSeconds": 7776000}')

    assert answer.status_code == 201
    [(key, token)] = json.loads(answer.text).items()
    assert key == "token"
    header, claims, _ = token.split(".")
    assert header == "eyJhbGciOiJIUzI1NiJ9"
    assert claims == "eyJ1c2VybmFtZSI6InNhIiwidmNsdXN0ZXIiOiJ0ZWFtQSIsImV4cCI6MTcyMDQ2OTgyOX0"
    assert control.tokens.verify(token, NOW) == Identity("sa", "teamA")


def test_create_and_list(http: Http, control: Control) -> None:
    created = http("POST", "/admin/interceptors/v1" + ITEM, BODY)

    assert created.status_code == 201
    assert created.text == '{"message":"simulate-leader-elections-errors is created"}'
    [item] = control.published[-1].interceptors
    assert item.fault == LeaderElection(rate_in_percent=50)
    assert (item.scope.virtual_cluster, item.priority) == ("teamA", 100)

    listed = http("GET", "/admin/interceptors/v1/vcluster/teamA")
    assert listed.status_code == 200
    assert listed.content_type == "application/json"
    assert jq(listed.text) == LISTED
