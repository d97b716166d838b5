"""Keys and certificates from every kind of file."""

import ssl
from pathlib import Path

import jks
import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from sidecar.tls.contexts import Following, ServerTls
from sidecar.tls.stores import StoreError, StoreFile, load
from tests.support.log import EventLog

CA = trustme.CA()
LEAF = CA.issue_cert("localhost")
KEY = serialization.load_pem_private_key(LEAF.private_key_pem.bytes(), None)
CHAIN = x509.load_pem_x509_certificates(b"".join(b.bytes() for b in LEAF.cert_chain_pems))
AUTHORITY = x509.load_pem_x509_certificate(CA.cert_pem.bytes())
DER = serialization.Encoding.DER


def pem(folder: Path) -> StoreFile:
    path = folder / "store.pem"
    LEAF.private_key_and_cert_chain_pem.write_to_path(str(path))
    return StoreFile(str(path))


def encrypted_pem(folder: Path) -> StoreFile:
    path = folder / "encrypted.pem"
    key = KEY.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    path.write_bytes(key + b"".join(blob.bytes() for blob in LEAF.cert_chain_pems))
    return StoreFile(str(path), key_password="secret")


def p12(folder: Path) -> StoreFile:
    path = folder / "store.p12"
    path.write_bytes(
        pkcs12.serialize_key_and_certificates(
            b"x",
            KEY,  # type: ignore[arg-type]  # any kind of key is one
            CHAIN[0],
            [*CHAIN[1:], AUTHORITY],
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    return StoreFile(str(path), "secret")


def java(folder: Path) -> StoreFile:
    path = folder / "store.jks"
    key = KEY.private_bytes(DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    chain = [each.public_bytes(DER) for each in CHAIN]
    entries = [
        jks.PrivateKeyEntry.new("x", chain, key, "pkcs8"),
        jks.TrustedCertEntry.new("ca", AUTHORITY.public_bytes(DER)),
    ]
    jks.KeyStore.new("jks", entries).save(str(path), "secret")
    return StoreFile(str(path), "secret")


MAKERS = [pem, encrypted_pem, p12, java]


@pytest.mark.parametrize("make", MAKERS)
def test_a_server_can_use_what_is_in_it(tmp_path: Path, make: object) -> None:
    store = make(tmp_path)  # type: ignore[operator]
    tls = ServerTls(store, store, "REQUIRE")

    assert tls.context().verify_mode is ssl.CERT_REQUIRED
    assert "PRIVATE KEY" in load(store).key
    assert "PRIVATE" not in repr(load(store))


@pytest.mark.parametrize("make", MAKERS[1:])
def test_a_wrong_password_is_told_without_it(tmp_path: Path, make: object) -> None:
    store = make(tmp_path)  # type: ignore[operator]
    wrong = StoreFile(store.path, "hunter2", "hunter2")

    with pytest.raises(StoreError, match=r"the password\s+is another") as refusal:
        ServerTls(wrong).context()
    assert "hunter2" not in str(refusal.value)
    assert store.path in str(refusal.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is no PKCS12 store"),
        (b"nonsense", "it is no PKCS12 store"),
        (b"\xfe\xed\xfe\xed\0\0", "it is no JKS store"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "lacks a private key"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "lacks a private key"),
    ],
)
def test_what_is_no_store_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "store"
    path.write_bytes(content)

    with pytest.raises(StoreError, match=words):
        ServerTls(StoreFile(str(path), "p")).context()


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be read: No such file"):
        load(StoreFile(str(tmp_path / "nothing")))


def test_a_context_follows_its_files(tmp_path: Path) -> None:
    store = pem(tmp_path)
    path = Path(store.path)
    log = EventLog()
    now = [0.0]
    tls = ServerTls(store, interval=10)
    context = Following(tls, log, tls.context, lambda: now[0])
    first = context()

    CA.issue_cert("other").private_key_and_cert_chain_pem.write_to_path(str(path))
    now[0] = 9.9
    assert context() is first
    now[0] = 10
    second = context()
    assert second is not first
    assert [event for _, event, _ in log.entries] == ["certificates_reloaded"]

    path.write_bytes(b"half writ")
    now[0] = 20
    assert context() is second
    assert log.entries[-1][1] == "certificates_not_reloaded"
    pem(tmp_path)
    now[0] = 30
    assert context() not in (first, second)
