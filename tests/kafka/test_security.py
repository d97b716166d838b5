"""TLS and SASL of both ends on real Kafka: what fails, what is renewed, who somebody is."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from socket import create_connection

import confluent_kafka
import jwt
import pytest
import trustme
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from codec.messages.sasl_authenticate import SaslAuthenticateRequest
from codec.messages.sasl_handshake import SaslHandshakeRequest
from tests.kafka import clients
from tests.kafka.cluster import RealKafka
from tests.kafka.processes import wait_until
from tests.kafka.secured import (
    BEARER_REAUTHENTICATION_MS,
    REAUTHENTICATION_MS,
    SIDECAR_PASSWORD,
    Certificates,
    Door,
    issue,
    listener,
    upstream,
    with_tokens,
)
from tests.kafka.sidecars import Sidecar
from tests.robustness.wire import Wire
from tests.support import bearer
from tests.support.token_endpoint import SECRET, TokenEndpoint

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

FIRST_PORT = 23969


@contextmanager
def sidecar(
    secured_kafka: RealKafka, home: Path, *settings: Mapping[str, str]
) -> Iterator[Sidecar]:
    merged: dict[str, str] = {}
    for each in settings:
        merged |= each
    one = Sidecar("one", secured_kafka, FIRST_PORT, home, **merged)
    try:
        yield one
    finally:
        one.stop()


class Waiting(Sidecar):
    """One that finds no cluster; it is let alone once its log has these words."""

    wanted = ""

    def _healthy(self) -> bool:
        text = self._child.log.read_text()
        return "waiting_for_kafka" in text and self.wanted in text


def seen_waiting(words: str, kafka: RealKafka, home: Path, settings: Mapping[str, str]) -> str:
    """Start a sidecar that says these words and is not ready; return its log."""
    kind = type("OneThatWaits", (Waiting,), {"wanted": words})
    one = kind("one", kafka, FIRST_PORT, home, **settings, GATEWAY_LOG_LEVEL="DEBUG")
    try:
        assert not Sidecar._healthy(one)
    finally:
        one.stop()
    return (home / "one.log").read_text()


def create(door: Door, topic: str) -> None:
    admin = AdminClient(door.librdkafka() | {"log_level": 0})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)


def test_a_session_is_renewed_before_the_broker_ends_it(
    secured_kafka: RealKafka, files: Certificates, tmp_path: Path
) -> None:
    """Nothing is lost, repeated or out of order, and no connection is ended."""
    far = upstream(secured_kafka, "SASL_PLAINTEXT", "SCRAM-SHA-512", files)
    with sidecar(secured_kafka, tmp_path, far, listener("PLAINTEXT", files)) as one:
        door = Door(one.bootstrap, "PLAINTEXT")
        create(door, "renewed")
        settings = door.librdkafka() | {"enable.idempotence": True, "linger.ms": 0, "log_level": 0}
        producer = confluent_kafka.Producer(settings)
        failed: list[object] = []
        values = []
        end = time.monotonic() + REAUTHENTICATION_MS / 1000 * 2.2
        while time.monotonic() < end:
            values.append(str(len(values)))
            producer.produce(
                "renewed", values[-1], on_delivery=lambda e, _: failed.append(e) if e else None
            )
            producer.poll(0.02)
        assert (producer.flush(30), failed) == (0, [])

        assert clients.stored(secured_kafka.bootstrap, "renewed") == values
        assert not one.events("connection_closed")


def test_tokens_of_an_endpoint_go_on_through_sessions_and_renewals(
    secured_kafka: RealKafka, files: Certificates, tmp_path: Path, token_endpoint: TokenEndpoint
) -> None:
    """Four sessions and two tokens: records flow both ways on the connections that are there, and
    the fleet's state is kept by such tokens too."""
    # When it is renewed there are 1.5 s left of the old one: sessions of less are ended.
    token_endpoint.issuer.lifetime = 10
    state = {"GATEWAY_STORAGE_TYPE": "KAFKA", "GATEWAY_CLUSTER_ID": "by-token"}
    far, near = with_tokens(secured_kafka, token_endpoint), listener("PLAINTEXT", files)
    with sidecar(secured_kafka, tmp_path, far, near, state, {"GATEWAY_WORKERS": "2"}) as one:
        door = Door(one.bootstrap, "PLAINTEXT")
        create(door, "by-token")
        settings = door.librdkafka() | {"log_level": 0}
        producer = confluent_kafka.Producer(settings | {"enable.idempotence": True, "linger.ms": 0})
        consumer = confluent_kafka.Consumer(settings | {"group.id": "by-token"})
        consumer.assign([confluent_kafka.TopicPartition("by-token", 0, 0)])
        failed: list[object] = []
        values: list[str] = []
        read: list[str] = []
        end = time.monotonic() + BEARER_REAUTHENTICATION_MS / 1000 * 4.8
        while time.monotonic() < end:
            values.append(str(len(values)))
            producer.produce(
                "by-token", values[-1], on_delivery=lambda e, _: failed.append(e) if e else None
            )
            producer.poll(0.02)
            message = consumer.poll(0)
            if message is not None and message.error() is None:
                read.append(message.value().decode())
        assert (producer.flush(30), failed) == (0, [])
        read += clients.read(consumer, len(values) - len(read))

        assert read == clients.stored(secured_kafka.bootstrap, "by-token") == values
        assert not one.events("connection_closed")
        # The first process and its store; the one that serves the clients; and one of them again.
        assert len(token_endpoint.asked) >= 4
        one.inject("teamA", 30, 1)
        kept = confluent_kafka.TopicPartition("_kafka_chaos_by-token_state", 0)
        assert consumer.get_watermark_offsets(kept, timeout=10)[1] > 0
        consumer.close()
        text = (tmp_path / "one.log").read_text()
    assert SECRET not in text
    assert "eyJ" not in text, "the beginning of any token"


def test_an_endpoint_that_does_not_know_the_sidecar_is_told_of(
    secured_kafka: RealKafka, tmp_path: Path, token_endpoint: TokenEndpoint
) -> None:
    far = dict(with_tokens(secured_kafka, token_endpoint))
    far["KAFKA_SASL_JAAS_CONFIG"] = far["KAFKA_SASL_JAAS_CONFIG"].replace(SECRET, "hunter2")
    text = seen_waiting("token_not_fetched", secured_kafka, tmp_path, far)
    assert "the token endpoint answers 401 (invalid_client)" in text
    assert "hunter2" not in text


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "OAUTHBEARER"])
def test_the_fleets_state_is_kept_behind_tls_and_sasl(
    secured_kafka: RealKafka, files: Certificates, tmp_path: Path, mechanism: str
) -> None:
    far = upstream(secured_kafka, "SASL_SSL", mechanism, files)
    state = {"GATEWAY_STORAGE_TYPE": "KAFKA", "GATEWAY_CLUSTER_ID": f"over-{mechanism}"}
    with sidecar(secured_kafka, tmp_path, far, state) as one:
        one.access("teamA")
        one.inject("teamA", 30, 1)
    with sidecar(secured_kafka, tmp_path, far, state) as again:
        path = "/admin/interceptors/v1/vcluster/teamA"
        assert [i["name"] for i in again.request("GET", path)[1]["interceptors"]] == ["simulate"]


def test_a_wrong_password_is_told_and_never_shown(
    secured_kafka: RealKafka, files: Certificates, tmp_path: Path
) -> None:
    far = dict(upstream(secured_kafka, "SASL_SSL", "SCRAM-SHA-256", files))
    far["KAFKA_SASL_JAAS_CONFIG"] = far["KAFKA_SASL_JAAS_CONFIG"].replace(
        SIDECAR_PASSWORD, "hunter2"
    )
    text = seen_waiting("authentication failed", secured_kafka, tmp_path, far)
    assert "hunter2" not in text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"KAFKA_SSL_TRUSTSTORE_LOCATION": ""}, "certificate"),
        ({"KAFKA_SECURITY_PROTOCOL": "PLAINTEXT"}, "bootstrap_failed"),
    ],
)
def test_brokers_that_are_not_who_they_should_be(
    secured_kafka: RealKafka,
    files: Certificates,
    tmp_path: Path,
    change: dict[str, str],
    words: str,
) -> None:
    far = {**upstream(secured_kafka, "SSL", "", files), **change}
    seen_waiting(words, secured_kafka, tmp_path, far)


def refusal(port: int, message: bytes) -> list[tuple[int, bytes]]:
    """Error codes and bytes until a bearer token has been refused, and nothing more comes."""
    wire = Wire(port)
    seen = []
    try:
        assert wire.ask(SaslHandshakeRequest(mechanism="OAUTHBEARER"), 1).error_code == 0
        for said in (message, b"\x01"):
            answer = wire.ask(SaslAuthenticateRequest(auth_bytes=said), 2)
            seen.append((answer.error_code, bytes(answer.auth_bytes)))
            if answer.error_code:
                break
        assert wire.answer(2) is None
    finally:
        wire.sock.close()
    return seen


def test_a_bearer_token_is_refused_as_by_a_broker(
    secured_kafka: RealKafka, files: Certificates, tmp_path: Path
) -> None:
    keys = tmp_path / "keys.json"
    keys.write_bytes(bearer.key_set(bearer.jwk("ES256", "one")))
    near = {**listener("SASL_PLAINTEXT", files), "GATEWAY_OAUTH_JWKS_URL": f"file://{keys}"}
    far = upstream(secured_kafka, "PLAINTEXT", "", files)
    late = jwt.encode({"sub": "al", "iat": 1000, "exp": 2000}, None, "none")
    tries = [bearer.first_message(late), b"no message of OAUTHBEARER"]
    with sidecar(secured_kafka, tmp_path, far, near) as one:
        ours = [refusal(one.port, message) for message in tries]
    broker = secured_kafka.ports_of("SASL_PLAINTEXT")[0]

    assert ours == [[(0, b'{"status":"invalid_token"}'), (58, b"")], [(58, b"")]]
    assert [refusal(broker, message) for message in tries] == ours


def test_certificates_say_who_a_client_is(
    secured_kafka: RealKafka, files: Certificates, tmp_path: Path
) -> None:
    near = {
        **listener("SSL", files),
        "GATEWAY_SSL_CLIENT_AUTH": "REQUIRE",
        "GATEWAY_SSL_TRUST_STORE_PATH": str(files.authority),
        "GATEWAY_SSL_PRINCIPAL_MAPPING_RULES": "RULE:^.*CN=([^,]+).*$/$1/U,DEFAULT",
    }
    with sidecar(secured_kafka, tmp_path, upstream(secured_kafka, "SSL", "", files), near) as one:
        with_one = Door(one.bootstrap, "SSL", authority=files.authority, certificate=files.client)
        create(with_one, "open")
        mapping = {"username": "alice", "principal": "AL", "groups": ["dev"]}
        path = "/admin/userMappings/v1/vcluster/teamS"
        assert one.request("POST", path, mapping)[0] == 201
        create(with_one, "closed")
        names = set(
            AdminClient({"bootstrap.servers": secured_kafka.bootstrap}).list_topics().topics
        )
        assert {"open", "teamSclosed"} <= names

        for door in (
            Door(one.bootstrap, "SSL", authority=files.authority),
            Door(one.bootstrap, "SSL", authority=files.authority, certificate=files.stranger),
        ):
            quiet = door.librdkafka() | {"log_level": 0, "socket.timeout.ms": 2000}
            with pytest.raises(confluent_kafka.KafkaException):
                AdminClient(quiet).list_topics(timeout=2)
        assert one.events("connection_closed", reason="tls_handshake_failed")


def test_new_certificates_are_shown_without_a_restart(
    secured_kafka: RealKafka, files: Certificates, tmp_path: Path
) -> None:
    authority = trustme.CA()
    served = tmp_path / "served.pem"
    issue(authority, served, "localhost")
    near = {
        "GATEWAY_SECURITY_PROTOCOL": "SSL",
        "GATEWAY_SSL_KEY_STORE_PATH": str(served),
        "GATEWAY_SSL_UPDATE_INTERVAL_MS": "100",
        "GATEWAY_WORKERS": "2",
    }
    with sidecar(secured_kafka, tmp_path, near) as one:
        context = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())

        def serials() -> set[int]:
            found = set()
            for _ in range(12):  # whichever worker it is
                with (
                    create_connection(("localhost", one.port), 5) as plain,
                    context.wrap_socket(plain, server_hostname="localhost") as secured,
                ):
                    found.add(secured.getpeercert()["serialNumber"])  # type: ignore[index,arg-type]
            return found

        first = serials()
        assert len(first) == 1
        issue(authority, served, "localhost")
        wait_until(lambda: len(serials() - first) == 1 and not serials() & first, "renewed", 20)
        served.write_text("half writ")
        last = serials()
        refused = "certificates_not_reloaded"
        wait_until(lambda: bool(serials() and one.events(refused)), "the warning", 20)
        assert serials() == last


def test_who_does_not_finish_the_handshake_takes_no_place_for_long(
    secured_kafka: RealKafka, files: Certificates, tmp_path: Path
) -> None:
    """A client that speaks no TLS is refused at once; others go on."""
    with sidecar(secured_kafka, tmp_path, listener("SSL", files)) as one:
        plain = Door(one.bootstrap, "PLAINTEXT").librdkafka() | {"log_level": 0}
        with pytest.raises(confluent_kafka.KafkaException):
            AdminClient(plain).list_topics(timeout=2)
        silent = [create_connection(("localhost", one.port), 5) for _ in range(50)]
        create(Door(one.bootstrap, "SSL", authority=files.authority), "beside")
        for each in silent:
            each.close()
        [told, *_] = one.events("connection_closed", reason="tls_handshake_failed")
        assert told["detail"]
