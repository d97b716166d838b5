"""Whether a client that has shown its token may have its virtual cluster."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from sidecar.model.errors import DomainError, Unavailable
from sidecar.model.identity import AuthenticationFailed, Identity

Shown = TypeVar("Shown")


def by_date(verify: Callable[[str, float], Shown]) -> Callable[[str, float], Shown]:
    """`verify` by the machine's clock: until when a token is good is a date for all machines."""
    return lambda token, _: verify(token, time.time())


class Admission:
    """Asks the control side for first uses of virtual clusters, on the hub; never waits.

    Args:
        claim: raises DomainError when a virtual cluster may not be.
        log: bound logger; it gets the reason, which may name other tenants and is not for clients.
    """

    def __init__(self, claim: Callable[[str], None], log: Any) -> None:
        self._claim = claim
        self._log = log

    def refusal(self, virtual_cluster: str) -> str | None:
        """Return why nobody may use it, in words fit for a client; None if everybody may."""
        try:
            self._claim(virtual_cluster)
        except Unavailable as error:
            return str(error)
        except DomainError as error:
            self._log.warning(
                "virtual_cluster_refused", virtual_cluster=virtual_cluster, cause=str(error)
            )
            return f"virtual cluster {virtual_cluster!r} may not be used here: ask who runs this"
        return None

    def admit(self, identity: Identity) -> None:
        """Ask for a client of this process; raises AuthenticationFailed."""
        refusal = self.refusal(identity.virtual_cluster)
        if refusal is not None:
            raise AuthenticationFailed(refusal)
