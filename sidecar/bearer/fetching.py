"""Asks for a token once: by the client credentials grant (RFC 6749, section 4.4), or in a file.

Blocks, for as long as the source's timeouts say. Nothing is followed that an endpoint redirects to:
the secret is for it alone.
"""

import base64
import json
import os
import re
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote, urlencode, urlsplit

from sidecar.bearer.source import TokenSource
from sidecar.bearer.token import Token, TokenError, read
from sidecar.tls.stores import StoreError

if TYPE_CHECKING:
    import http.client

ANSWER_LIMIT: Final = 64 * 1024
"""Bytes of an endpoint's answer, or of a file: a token has a few KiB."""
_SHOWN: Final = 200
"""Characters of what an endpoint says about a refusal."""
_ERROR: Final = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+")
"""What `error` and `error_description` are made of (RFC 6749, section 5.2)."""


class Refused(TokenError):
    """The endpoint does not take who asks: asking again soon does not help."""


def fetch(source: TokenSource, now: float) -> Token:
    """Get a token.

    Args:
        now: seconds since the epoch.

    Raises:
        TokenError: there is none, or none that can be used; without secrets.
    """
    value = _from_file(source) if source.is_file else _from_endpoint(source)
    return read(value, source.scope_claim, source.sub_claim, now)


def path_of(url: str) -> str:
    """The path in a file URL."""
    return unquote(urlsplit(url).path)


def _from_file(source: TokenSource) -> str:
    path = path_of(source.url)
    try:
        # A pipe that nobody writes to is not waited for.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise TokenError(f"{path} is no file")
            data = file.read(ANSWER_LIMIT + 1)
    except OSError as error:
        raise TokenError(f"{path}: {error.strerror}") from None
    if len(data) > ANSWER_LIMIT:
        raise TokenError(f"{path} has more than {ANSWER_LIMIT} bytes")
    try:
        return data.decode("ascii").strip()
    except UnicodeDecodeError:
        raise TokenError(f"{path} has no token in it") from None


def _from_endpoint(source: TokenSource) -> str:
    status, body = _answer(source)
    if len(body) > ANSWER_LIMIT:
        raise TokenError(f"the token endpoint's answer has more than {ANSWER_LIMIT} bytes")
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if status not in (200, 201):
        # What a proxy or a busy endpoint says may be over soon; who we are is not.
        kind = Refused if 400 <= status < 500 and status not in (408, 429) else TokenError
        raise kind(f"the token endpoint answers {status}{_reason(said, source)}")
    if not isinstance(said, dict):
        raise TokenError("the token endpoint's answer is no JSON object")
    value = said.get("access_token") or said.get("id_token")
    if not isinstance(value, str):
        raise TokenError("the token endpoint's answer has no access_token")
    return value


def _reason(said: Any, source: TokenSource) -> str:
    """What RFC 6749 (section 5.2) lets an endpoint say, if it is fit to be shown."""
    if not isinstance(said, dict):
        return ""
    words = [said.get(name) for name in ("error", "error_description")]
    fit = [word for word in words if isinstance(word, str) and _ERROR.fullmatch(word)]
    text = ": ".join(fit)[:_SHOWN]
    hidden = source.client_secret and source.client_secret in ": ".join(fit)
    return f" ({text})" if text and not hidden else ""


def _answer(source: TokenSource) -> tuple[int, bytes]:
    """Status and body, of which there may be more than is allowed."""
    import http.client  # a megabyte that only who asks pays for

    url = urlsplit(source.url)
    secured = url.scheme == "https"
    host, port = url.hostname or "", url.port or (443 if secured else 80)
    where = f"the token endpoint {host}:{port}"
    try:
        context = _context(source) if secured else None
        sock = socket.create_connection((host, port), source.connect_timeout)
    except StoreError as error:
        raise TokenError(f"what secures {where} cannot be used: {error}") from None
    except TimeoutError:
        seconds = f"{source.connect_timeout:g} s"
        raise TokenError(f"{where} cannot be reached within {seconds}") from None
    except (OSError, UnicodeError) as error:
        raise TokenError(f"{where} cannot be reached: {error}") from None
    with _ended(sock, source.read_timeout) as late:
        try:
            sock.settimeout(source.read_timeout)
            if context is not None:
                sock = context.wrap_socket(sock, server_hostname=host)
            connection = http.client.HTTPConnection(host, port)
            connection.sock = sock
            path = f"{url.path or '/'}{'?' if url.query else ''}{url.query}"
            found = _asked(connection, source, path)
            if late.is_set():
                raise TimeoutError
            return found
        except (OSError, http.client.HTTPException, ValueError) as error:
            if late.is_set() or isinstance(error, TimeoutError):
                cause = f"does not answer within {source.read_timeout:g} s"
            elif isinstance(error, OSError):
                cause = f"cannot be asked: {getattr(error, 'verify_message', '') or error}"
            else:
                cause = "speaks no HTTP"
            raise TokenError(f"{where} {cause}") from None
        finally:
            sock.close()


def _asked(
    connection: "http.client.HTTPConnection", source: TokenSource, path: str
) -> tuple[int, bytes]:
    form = {"grant_type": "client_credentials"}
    if source.scope:
        form["scope"] = source.scope
    who = [source.client_id, source.client_secret]
    if source.urlencode:
        who = [quote(each, safe="") for each in who]
    headers = {
        "Authorization": "Basic " + base64.b64encode(":".join(who).encode()).decode(),
        "Accept": "application/json",
        "Content-Type": "application/x-www-form-urlencoded",
        "Connection": "close",
    }
    connection.request("POST", path, urlencode(form), headers)
    answer = connection.getresponse()
    return answer.status, answer.read(ANSWER_LIMIT + 1)


def _context(source: TokenSource) -> Any:
    context = source.tls.context()
    if source.public:
        context.load_default_certs()
    return context


@contextmanager
def _ended(sock: socket.socket, seconds: float) -> Iterator[threading.Event]:
    """End a connection after so long, however slowly something comes; tells whether that was so."""
    late = threading.Event()
    # Another descriptor of the same connection: TLS takes the first one away.
    same = sock.dup()

    def end() -> None:
        late.set()
        with suppress(OSError):
            same.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()
        same.close()
