"""Asks for a token once: by the client credentials grant (RFC 6749, section 4.4), or in a file.

Blocks, for as long as the source's timeouts say. Nothing is followed that an endpoint redirects to:
the secret is for it alone.
"""

import base64
import json
import re
import ssl
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from sidecar.bearer.asking import AskFailed, ask, path_of, read_file
from sidecar.bearer.source import TokenSource
from sidecar.bearer.token import Token, TokenError, read
from sidecar.tls.stores import StoreError

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


def _from_file(source: TokenSource) -> str:
    path = path_of(source.url)
    try:
        return read_file(path, ANSWER_LIMIT).decode("ascii").strip()
    except AskFailed as error:
        raise TokenError(f"{path}: {error}") from None
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
    url = urlsplit(source.url)
    secured = url.scheme == "https"
    where = f"the token endpoint {url.hostname}:{url.port or (443 if secured else 80)}"
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
    }
    try:
        return ask(
            source.url,
            headers,
            body=urlencode(form),
            context=_context(source) if secured else None,
            connect_timeout=source.connect_timeout,
            read_timeout=source.read_timeout,
            most=ANSWER_LIMIT,
        )
    except StoreError as error:
        raise TokenError(f"what secures {where} cannot be used: {error}") from None
    except AskFailed as error:
        raise TokenError(f"{where} {error}") from None


def _context(source: TokenSource) -> ssl.SSLContext:
    context = source.tls.context()
    if source.public:
        context.load_default_certs()
    return context
