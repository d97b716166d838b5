"""Keys and certificates in PEM, PKCS #12 or JKS files, all as PEM.

PKCS #12 is read with `cryptography`, JKS with `pyjks`: imported only where such a file is given.
"""

import base64
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

PEM, PKCS12, JKS = "PEM", "PKCS12", "JKS"
TYPES: Final = (PEM, PKCS12, JKS)
_JKS_MAGIC: Final = b"\xfe\xed\xfe\xed"
_PEM_BEGIN: Final = b"-----BEGIN "
_INSTALL: Final = "pip install 'kafka-chaos-sidecar[keystores]'"


class StoreError(ValueError):
    """A file cannot be used; ``str()`` says which and why, and never what is in it."""


@dataclass(frozen=True, slots=True)
class StoreFile:
    """Where keys or certificates are.

    Args:
        path: of the file; empty when `text` has it.
        password: that opens it; of the key in it, too, unless `key_password` is given.
        key_password: of the key.
        type: one of `TYPES`; empty tells by the first bytes.
        text: PEM itself, in place of a file.
    """

    path: str = ""
    password: str = field(default="", repr=False)
    key_password: str = field(default="", repr=False)
    type: str = ""
    text: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Found:
    """What is in a store, as PEM.

    Args:
        key: the private key; empty if there is none. Encrypted as it was in a PEM file.
        chain: the certificate of the key and those behind it.
        trusted: certificates of authorities.
    """

    key: str = field(default="", repr=False)
    chain: str = ""
    trusted: str = ""


def load(store: StoreFile) -> Found:
    """Read a store.

    Raises:
        StoreError: it cannot be read, opened, or has not what it must have.
    """
    if store.text:
        return _pem(store.text)
    try:
        data = Path(store.path).read_bytes()
    except OSError as error:
        raise StoreError(f"{store.path} cannot be read: {error.strerror}") from None
    kind = store.type or _told_by(data)
    try:
        if kind == PEM:
            return _pem(data.decode())
        return _pkcs12(data, store) if kind == PKCS12 else _jks(data, store)
    except StoreError as error:
        raise StoreError(f"{store.path}: {error}") from None
    except UnicodeDecodeError:
        raise StoreError(f"{store.path} is no PEM file") from None


def _told_by(data: bytes) -> str:
    if _PEM_BEGIN in data[:65536]:
        return PEM
    return JKS if data.startswith(_JKS_MAGIC) else PKCS12


def _pem(text: str) -> Found:
    certificates = "".join(_sections(text, "CERTIFICATE"))
    if "-----BEGIN " not in text:
        raise StoreError("it has no PEM section")
    return Found("".join(_sections(text, "PRIVATE KEY")), certificates, certificates)


def _sections(text: str, label: str) -> list[str]:
    """The sections whose label ends so."""
    found: list[str] = []
    for part in text.split("-----BEGIN ")[1:]:
        name, _, rest = part.partition("-----")
        body, end, _ = rest.partition(f"-----END {name}-----")
        if name.endswith(label) and end:
            found.append(f"-----BEGIN {name}-----{body}{end}\n")
    return found


def _pkcs12(data: bytes, store: StoreFile) -> Found:
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.serialization import pkcs12
    except ImportError:
        raise StoreError(f"a PKCS12 store needs cryptography: {_INSTALL}") from None
    try:
        opened = pkcs12.load_pkcs12(data, store.password.encode() or None)
    except ValueError:
        raise StoreError("it is no PKCS12 store, or the password is another") from None
    encoding = serialization.Encoding.PEM
    certificates = [
        each.certificate.public_bytes(encoding).decode() for each in opened.additional_certs
    ]
    key = ""
    if opened.key is not None and opened.cert is not None:
        certificates.insert(0, opened.cert.certificate.public_bytes(encoding).decode())
        key = opened.key.private_bytes(
            encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
    text = "".join(certificates)
    return Found(key, text, text)


def _jks(data: bytes, store: StoreFile) -> Found:
    try:
        import jks
    except ImportError:
        raise StoreError(f"a JKS store needs pyjks: {_INSTALL}") from None
    try:
        opened: Any = jks.KeyStore.loads(data, store.password)
        key, chain = "", ""
        for entry in opened.private_keys.values():
            if not entry.is_decrypted():
                entry.decrypt(store.key_password or store.password)
            key = _armoured("PRIVATE KEY", entry.pkey_pkcs8)
            chain = "".join(_armoured("CERTIFICATE", each[1]) for each in entry.cert_chain)
            break
        trusted = "".join(_armoured("CERTIFICATE", e.cert) for e in opened.certs.values())
    except jks.util.KeystoreException:
        raise StoreError("it is no JKS store, or the password is another") from None
    return Found(key, chain, trusted or chain)


def _armoured(label: str, der: bytes) -> str:
    text = base64.encodebytes(der).decode()
    return f"-----BEGIN {label}-----\n{text}-----END {label}-----\n"
