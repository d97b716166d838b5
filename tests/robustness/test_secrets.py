"""No secret is ever told: not in the log at its most talkative, nor in errors, metrics, answers."""

import base64
import contextlib
import json
import ssl
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import confluent_kafka
import pytest
import trustme
from confluent_kafka.admin import AdminClient
from cryptography.hazmat.primitives import serialization

from tests.kafka.processes import Child, free_port_range, free_ports, wait_until
from tests.support import bearer

PASSWORD = "correct-horse-battery"
SIGNING = base64.b64encode(b"the signing key that nobody sees").decode()
KEY_PASSWORD = "opens-the-private-key"
TRUST_PASSWORD = "opens-the-trust-store"
KEYS_PLACE = "where-keys-are-is-a-secret.json"
GUESS = "a-wrong-guess-of-somebody"


def files(folder: Path) -> tuple[Path, str, bytes]:
    """A server's PEM with an encrypted key, a line of that key, the authority's certificate."""
    authority = trustme.CA()
    leaf = authority.issue_cert("localhost")
    key = serialization.load_pem_private_key(leaf.private_key_pem.bytes(), None)
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(KEY_PASSWORD.encode()),
    ).decode()
    path = folder / "server.pem"
    path.write_text(text + "".join(b.bytes().decode() for b in leaf.cert_chain_pems))
    return path, text.splitlines()[1], authority.cert_pem.bytes()


def come_with(token: str, clients: dict[str, Any]) -> None:
    """Be a client with a bearer token, good or not, until that is decided."""
    failed: list[object] = []
    mine = {name: value for name, value in clients.items() if "password" not in name}
    mine |= {"sasl.mechanism": "OAUTHBEARER", "error_cb": failed.append}
    admin = AdminClient(mine | {"oauth_cb": lambda config: (token, time.time() + 60)})
    admin.poll(1)
    with contextlib.suppress(confluent_kafka.KafkaException):
        admin.list_topics(timeout=2)


@pytest.mark.timeout(120)
def test_a_busy_sidecar_tells_none_of_its_secrets(tmp_path: Path) -> None:
    server, key_line, authority = files(tmp_path)
    (tmp_path / "ca.pem").write_bytes(authority)
    cluster = Child("cluster", [sys.executable, "-m", "sidecar.embedded"], tmp_path / "cluster.log")
    wait_until(lambda: "bootstrap" in cluster.log.read_text(), "the cluster", 20)
    port, (http_port, grpc_port) = free_port_range(3, 27969), free_ports(2)
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": json.loads(cluster.log.read_text())["bootstrap_servers"],
        "GATEWAY_START_PORT": str(port),
        "GATEWAY_HTTP_PORT": str(http_port),
        "GATEWAY_GRPC_PORT": str(grpc_port),
        "GATEWAY_SECURITY_PROTOCOL": "SASL_SSL",
        "GATEWAY_SSL_KEY_STORE_PATH": str(server),
        "GATEWAY_SSL_KEY_STORE_PASSWORD": KEY_PASSWORD,
        "GATEWAY_SSL_TRUST_STORE_PASSWORD": TRUST_PASSWORD,
        "GATEWAY_HTTPS_KEY_STORE_PATH": str(server),
        "GATEWAY_HTTPS_KEY_STORE_PASSWORD": KEY_PASSWORD,
        "GATEWAY_USER_POOL_SECRET_KEY": SIGNING,
        "GATEWAY_ADMIN_API_USERS": f"[{{username: root, password: {PASSWORD}, admin: true}}]",
        "GATEWAY_LOG_LEVEL": "DEBUG",
        "GATEWAY_OAUTH_JWKS_URL": f"file://{tmp_path}/{KEYS_PLACE}",
    }
    (tmp_path / KEYS_PLACE).write_bytes(bearer.key_set(bearer.jwk("ES256", "one")))
    log = tmp_path / "sidecar.log"
    child = Child("sidecar", [sys.executable, "-m", "sidecar", "run"], log, environment)
    context = ssl.create_default_context(cadata=authority.decode())
    told: list[str] = []

    def ask(method: str, path: str, body: Any = None, password: str = PASSWORD) -> Any:
        data = None if body is None else json.dumps(body).encode()
        url = f"https://localhost:{http_port}{path}"
        request = urllib.request.Request(url, data, method=method)
        basic = base64.b64encode(f"root:{password}".encode()).decode()
        request.add_header("Authorization", f"Basic {basic}")
        try:
            with urllib.request.urlopen(request, timeout=5, context=context) as answer:
                text = answer.read().decode()
        except urllib.error.HTTPError as error:
            text = error.read().decode()
        told.append(text)
        return text

    def healthy() -> bool:
        try:
            return '"UP"' in ask("GET", "/health")
        except OSError:
            return False

    try:
        wait_until(healthy, "healthy", 20)
        path = "/admin/vclusters/v1/vcluster/teamA/username/sa"
        answer = ask("POST", path, {"lifeTimeSeconds": 60})
        token = json.loads(told.pop())["token"]
        assert token in answer
        clients = {
            "bootstrap.servers": f"localhost:{port}",
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "PLAIN",
            "sasl.username": "sa",
            "ssl.ca.location": str(tmp_path / "ca.pem"),
            "log_level": 0,
        }
        AdminClient({**clients, "sasl.password": token}).list_topics(timeout=10)
        damaged = token[:-4] + "AAAA"
        for wrong in (GUESS, damaged):
            with pytest.raises(confluent_kafka.KafkaException):
                AdminClient({**clients, "sasl.password": wrong}).list_topics(timeout=2)
        shown = bearer.token(exp=time.time() + 60)
        for each in (shown, shown[:-4] + "AAAA"):
            come_with(each, clients)
        item = "/admin/interceptors/v1/vcluster/teamA/interceptor/i"
        for password in (GUESS, PASSWORD):
            ask("POST", item, {"pluginClass": "x", "priority": 1, "config": {}}, password)
            ask("GET", "/admin/userMappings/v1", None, password)
            ask("GET", "/metrics", None, password)
            ask("GET", "/gateway/v2/interceptor", None, password)
        ask("POST", path, {"lifeTimeSeconds": "soon"})
        assert child.stop() == 0
    finally:
        child.stop()
        cluster.stop()
    everything = log.read_text() + "".join(told)

    assert '"event":"control_call"' in everything
    assert '"event":"authentication_failed"' in everything
    basic = base64.b64encode(f"root:{PASSWORD}".encode()).decode()
    secrets = [PASSWORD, basic, SIGNING, KEY_PASSWORD, TRUST_PASSWORD, GUESS, key_line]
    assert '"principal":"al"' in everything
    secrets += [KEYS_PLACE, shown.split(".")[1], shown.split(".")[2][:-4]]
    secrets += [token.split(".")[2], damaged.split(".")[2]]
    assert [secret for secret in secrets if secret in everything] == []
