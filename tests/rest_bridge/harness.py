"""HTTP requests in few words."""

import json
from dataclasses import dataclass
from typing import Any

from werkzeug.test import Client, TestResponse

from tests.sidecar.api.harness import basic

INTERCEPTORS = "/admin/interceptors/v1"
PLUGIN = "io.conduktor.gateway.interceptor.chaos.SimulateLeaderElectionsErrorsPlugin"


def interceptor(config: str = '{"rateInPercent":50}', **fields: Any) -> str:
    """Return a body; `config` is its text, `fields` replace or add keys, None takes one away."""
    body = {"pluginClass": PLUGIN, "priority": 100, "config": "CONFIG"} | fields
    text = json.dumps({key: value for key, value in body.items() if value is not None})
    return text.replace('"CONFIG"', config)


@dataclass
class Http:
    """Sends requests as an admin, unless told otherwise."""

    client: Client

    def __call__(
        self,
        method: str,
        path: str,
        body: str | bytes | None = None,
        authorization: str | None = basic(),
    ) -> TestResponse:
        """Return the answer."""
        headers = {} if authorization is None else {"Authorization": authorization}
        return self.client.open(path, method=method, data=body, headers=headers)

    def told(self, method: str, path: str, body: str | bytes | None = None) -> tuple[int, str]:
        """Return status and message of an answer that is nothing but a message."""
        answer = self(method, path, body)
        assert answer.content_type == "application/json"
        [(key, message)] = json.loads(answer.data).items()
        assert key == "message"
        return answer.status_code, message
