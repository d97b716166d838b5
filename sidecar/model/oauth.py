"""What bearer tokens have to be (OAUTHBEARER: RFC 7628, KIP-768), and where their keys are."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth:
    """Can be sent to another process.

    Args:
        jwks_url: of a JWK set (RFC 7517): http, https or file. A query may be a secret.
        issuer: what claim `iss` has to be; None: anything.
        audiences: one of them has to be in claim `aud`; none: anything.
        refresh: seconds between two looks at the keys.
        retry, max_retry: seconds until a failed look is repeated: first, and at most.
        scope_claim, sub_claim: names of the claims that hold scopes and the principal.
    """

    jwks_url: str = field(repr=False)
    issuer: str | None = None
    audiences: tuple[str, ...] = ()
    refresh: float = 3600.0
    retry: float = 0.1
    max_retry: float = 10.0
    scope_claim: str = "scope"
    sub_claim: str = "sub"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRules:
    """How clients show who they are, besides what signs their tokens; can be sent as well.

    Args:
        oauth: bearer tokens; None: OAUTHBEARER is not offered.
        longest: seconds until a client has to show again who it is; 0: never, but with a bearer
            token, which ends.
    """

    oauth: OAuth | None = None
    longest: float = 0.0
