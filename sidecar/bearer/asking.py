"""Asks an identity provider something over HTTP, or reads what it leaves in a file.

Blocks, for a bounded time, and takes a bounded answer. Nothing is followed that it redirects to:
what is asked with is for it alone.
"""

import os
import socket
import ssl
import stat
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    import http.client


class AskFailed(Exception):
    """Nothing came of it; ``str()`` says why, without the URL, which may hold a secret."""


def path_of(url: str) -> str:
    """The path in a file URL."""
    return unquote(urlsplit(url).path)


def read_file(path: str, most: int) -> bytes:
    """What is in a file; raises AskFailed, also where there are more bytes than `most`."""
    try:
        # A pipe that nobody writes to is not waited for.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise AskFailed("it is no file")
            return bounded(file.read(most + 1), most)
    except OSError as error:
        raise AskFailed(error.strerror or "it cannot be read") from None


def bounded(data: bytes, most: int) -> bytes:
    """The same bytes; raises AskFailed where there are more than `most`."""
    if len(data) > most:
        raise AskFailed(f"it has more than {most} bytes")
    return data


def ask(
    url: str,
    headers: Mapping[str, str],
    *,
    body: str | None = None,
    context: ssl.SSLContext | None = None,
    connect_timeout: float,
    read_timeout: float,
    most: int,
) -> tuple[int, bytes]:
    """Ask; return the status, and of the body no more than one byte beyond `most`.

    Args:
        body: is sent by POST; None: it is GET.
        context: of https.
        connect_timeout: seconds.
        read_timeout: seconds for the whole answer.

    Raises:
        AskFailed: there is no answer.
    """
    import http.client  # a megabyte that only who asks pays for

    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if context else 80)
    try:
        sock = socket.create_connection((host, port), connect_timeout)
    except TimeoutError:
        raise AskFailed(f"cannot be reached within {connect_timeout:g} s") from None
    except (OSError, UnicodeError) as error:
        raise AskFailed(f"cannot be reached: {error}") from None
    with _ended(sock, read_timeout) as late:
        try:
            sock.settimeout(read_timeout)
            if context is not None:
                sock = context.wrap_socket(sock, server_hostname=host)
            connection = http.client.HTTPConnection(host, port)
            connection.sock = sock
            path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
            found = _asked(connection, path, headers, body, most)
            if late.is_set():
                raise TimeoutError
            return found
        except (OSError, http.client.HTTPException, ValueError) as error:
            if late.is_set() or isinstance(error, TimeoutError):
                cause = f"does not answer within {read_timeout:g} s"
            elif isinstance(error, OSError):
                cause = f"cannot be asked: {getattr(error, 'verify_message', '') or error}"
            else:
                cause = "speaks no HTTP"
            raise AskFailed(cause) from None
        finally:
            sock.close()


def _asked(
    connection: "http.client.HTTPConnection",
    path: str,
    headers: Mapping[str, str],
    body: str | None,
    most: int,
) -> tuple[int, bytes]:
    method = "GET" if body is None else "POST"
    connection.request(method, path, body, {**headers, "Connection": "close"})
    answer = connection.getresponse()
    return answer.status, answer.read(most + 1)


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
