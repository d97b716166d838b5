"""How the clients of a process show who they are, put together; for the first and for workers."""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

from sidecar import lean
from sidecar.admission import by_date
from sidecar.dataplane.sasl import Logins
from sidecar.model.identity import Identity, Proof
from sidecar.model.names import PASSTHROUGH
from sidecar.model.oauth import LoginRules, OAuth

Locate = Callable[[str, str], Identity]
"""Principal, and the virtual cluster it is in unless a user mapping says otherwise, to identity."""


class LoginsUnusable(Exception):
    """A library is missing."""


def import_jwt(rules: LoginRules) -> None:
    """Import PyJWT with what tokens need of it; to be called before anything else does.

    Raises:
        LoginsUnusable: bearer tokens are configured, which need cryptography, and it is missing.
    """
    if rules.oauth is None:
        lean.import_alone("jwt")
        return
    try:
        for name in ("cryptography", "jwt"):
            import_module(name)
    except ImportError:
        raise LoginsUnusable(
            "GATEWAY_OAUTH_JWKS_URL needs cryptography: pip install 'kafka-chaos-sidecar[oauth]'"
        ) from None


def logins(
    key: bytes, rules: LoginRules, admit: Callable[[Identity], None], locate: Locate, log: Any
) -> Logins:
    """Make it, and begin to follow the keys of bearer tokens, if there are such.

    Args:
        key: that tokens, which are passwords, are signed with.
        admit: see `Logins`.
        log: bound logger.
    """
    import_jwt(rules)
    from sidecar.control.tokens import TokenAuthority

    plain = by_date(TokenAuthority(key).prove)
    if rules.oauth is None:
        return Logins(plain=plain, admit=admit, longest=rules.longest)
    verify, renew = _bearer(rules.oauth, locate, log)
    return Logins(plain=plain, bearer=verify, admit=admit, renew_keys=renew, longest=rules.longest)


def _bearer(
    rules: OAuth, locate: Locate, log: Any
) -> tuple[Callable[[str, float], Proof], Callable[[], None]]:
    # Imported here: 10 MB that only those need whose clients come with bearer tokens.
    from sidecar.control.bearer_tokens import BearerTokens, keys_from
    from sidecar.net.keys import KeyFollower, fetcher

    follower = KeyFollower(
        fetcher(rules.jwks_url),
        keys_from,
        refresh=rules.refresh,
        retry=rules.retry,
        max_retry=rules.max_retry,
        log=log,
    )
    follower.start()
    tokens = BearerTokens(lambda: follower.keys, rules)
    return by_date(partial(_proof, tokens.verify, locate)), follower.renew


def _proof(verify: Callable[[str, float], Any], locate: Locate, token: str, now: float) -> Proof:
    bearer = verify(token, now)
    identity = locate(bearer.principal, bearer.virtual_cluster or PASSTHROUGH)
    return Proof(identity, bearer.seconds)
