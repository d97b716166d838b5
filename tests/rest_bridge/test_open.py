"""Health, metrics, plugins and tokens."""

import json

from rest_bridge.plugins import PLUGINS
from sidecar.model.identity import Identity
from tests.rest_bridge.harness import PLUGIN, Http
from tests.rest_bridge.test_refusals import unreachable
from tests.sidecar.api.harness import METRICS, NOW, Control

UP = (
    '{"status":"UP","checks":['
    '{"id":"buildInfo","status":"UP","data":'
    '{"version":"1.2.3","time":"2024-06-03T20:32:32+0000","commit":"abc"}},'
    '{"id":"live","status":"UP"}],"outcome":"UP"}'
)


def test_health_is_open(http: Http) -> None:
    answer = http("GET", "/health", authorization=None)

    assert (answer.status_code, answer.text) == (200, UP)
    assert http("GET", "/health/", authorization=None).status_code == 200


def test_health_of_a_sidecar_that_stops(http: Http, control: Control) -> None:
    control.server.stop(grace=0)
    answer = http("GET", "/health", authorization=None)

    assert answer.status_code == 503
    assert json.loads(answer.text)["status"] == "DOWN"


def test_health_of_an_unreachable_sidecar() -> None:
    answer = unreachable()("GET", "/health", authorization=None)

    assert answer.status_code == 503
    assert answer.text == (
        '{"status":"DOWN","checks":['
        '{"id":"buildInfo","status":"DOWN","data":{"version":"","time":"","commit":""}},'
        '{"id":"live","status":"DOWN"}],"outcome":"DOWN"}'
    )


def test_metrics(http: Http) -> None:
    answer = http("GET", "/metrics")

    assert (answer.content_type, answer.text) == METRICS


def test_plugins(http: Http) -> None:
    answer = http("GET", "/admin/plugins/v1")

    assert answer.status_code == 200
    assert json.loads(answer.text)["plugins"][:2] == [PLUGIN, PLUGINS[1].name]


def test_tokens_without_a_virtual_cluster_are_for_passthrough(http: Http, control: Control) -> None:
    answer = http("POST", "/admin/username/sa", '{"lifeTimeSeconds":60}')

    assert answer.status_code == 201
    token = json.loads(answer.text)["token"]
    assert control.tokens.verify(token, NOW) == Identity("sa", "passthrough")
    assert answer.headers["Cache-Control"] == "no-store"


def test_health_before_clients_are_served(http: Http, control: Control) -> None:
    control.server.set_serving(False)
    answer = http("GET", "/health", authorization=None)

    assert answer.status_code == 503
    assert '{"id":"buildInfo","status":"UP"' in answer.text
    assert '{"id":"live","status":"DOWN"}' in answer.text
    control.server.set_serving(True)
    assert http("GET", "/health", authorization=None).text == UP
