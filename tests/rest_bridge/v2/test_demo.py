"""The requests of the later edition of the demo, and the answers as recorded."""

import json

from sidecar.faults.leader_election import LeaderElection
from tests.rest_bridge.harness import Http
from tests.rest_bridge.v2.harness import INTERCEPTOR
from tests.sidecar.api.harness import Control

BODY = """\
{
  "kind" : "Interceptor",
  "apiVersion" : "gateway/v2",
  "metadata" : {
    "name" : "simulate-leader-elections-errors"
  },
  "spec" : {
    "comment" : "Adding interceptor: simulate-leader-elections-errors",
    "pluginClass" : "io.conduktor.gateway.interceptor.chaos.SimulateLeaderElectionsErrorsPlugin",
    "priority" : 100,
    "config" : {
      "rateInPercent" : 50
    }
  }
}
"""

UPSERTED = """\
{
  "resource": {
    "kind": "Interceptor",
    "apiVersion": "gateway/v2",
    "metadata": {
      "name": "simulate-leader-elections-errors",
      "scope": {
        "vCluster": "passthrough",
        "group": null,
        "username": null
      }
    },
    "spec": {
      "comment": "Adding interceptor: simulate-leader-elections-errors",
      "pluginClass": "io.conduktor.gateway.interceptor.chaos.SimulateLeaderElectionsErrorsPlugin",
      "priority": 100,
      "config": {
        "rateInPercent": 50
      }
    }
  },
  "upsertResult": "CREATED"
}
"""


def jq(text: str) -> str:
    return json.dumps(json.loads(text), indent=2) + "\n"


def test_put_and_list(http: Http, control: Control) -> None:
    made = http("PUT", INTERCEPTOR, BODY)

    assert (made.status_code, made.content_type) == (200, "application/json")
    assert jq(made.text) == UPSERTED
    [item] = control.published[-1].interceptors
    assert item.fault == LeaderElection(rate_in_percent=50)
    assert (item.scope.virtual_cluster, item.priority) == ("passthrough", 100)

    listed = http("GET", INTERCEPTOR)
    assert listed.status_code == 200
    assert jq(listed.text) == jq(json.dumps([json.loads(UPSERTED)["resource"]]))


def test_the_whole_life(http: Http, control: Control) -> None:
    http("PUT", INTERCEPTOR, BODY)

    again = json.loads(http("PUT", INTERCEPTOR, BODY).text)
    assert again["upsertResult"] == "NOT_CHANGED"
    [listed] = json.loads(http("GET", INTERCEPTOR).text)
    returned = json.loads(http("PUT", INTERCEPTOR, json.dumps(listed)).text)
    assert returned["upsertResult"] == "NOT_CHANGED"
    assert len(control.published) == 1  # its draws go on

    changed = json.loads(http("PUT", INTERCEPTOR, BODY.replace("50", "60")).text)
    assert changed["upsertResult"] == "UPDATED"
    item = f"{INTERCEPTOR}/simulate-leader-elections-errors"
    gone = http("DELETE", item, '{"vCluster":"passthrough","group":null,"username":null}')
    assert (gone.status_code, gone.data) == (204, b"")
    assert http("GET", INTERCEPTOR).text == "[]"
