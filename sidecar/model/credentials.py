"""How the sidecar says to brokers who it is."""

from dataclasses import dataclass, field
from typing import Final

PLAIN: Final = "PLAIN"
SCRAM_SHA_256, SCRAM_SHA_512 = "SCRAM-SHA-256", "SCRAM-SHA-512"
OAUTHBEARER: Final = "OAUTHBEARER"
MECHANISMS: Final = (PLAIN, SCRAM_SHA_256, SCRAM_SHA_512, OAUTHBEARER)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a SASL mechanism needs.

    Args:
        mechanism: one of `MECHANISMS`.
        username: who it is; with OAUTHBEARER the subject of a token that nobody signed,
            empty where tokens come from elsewhere.
        password: of PLAIN and SCRAM.
        scope: of such a token, words separated by blanks.
        extensions: what is said beside the token (KIP-342), names and values.
    """

    mechanism: str
    username: str
    password: str = field(default="", repr=False)
    scope: str = ""
    extensions: tuple[tuple[str, str], ...] = ()
