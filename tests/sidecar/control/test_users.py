"""Users of the control API."""

import pytest

from sidecar.control.users import AdminUsers
from sidecar.model.errors import PermissionDenied, Unauthenticated

USERS = AdminUsers([("admin", "conduktor", True), ("víewer", "pässword", False)])


def test_admin_may_write() -> None:
    USERS.authenticate("admin", "conduktor").require_admin()


def test_others_may_not_and_are_told_in_the_recorded_words() -> None:
    user = USERS.authenticate("víewer", "pässword")

    with pytest.raises(
        PermissionDenied,
        match=r"^You do not have permission to call this API, please contact your administrator\.$",
    ):
        user.require_admin()


@pytest.mark.parametrize(
    ("username", "password"),
    [("admin", "pässword"), ("admin", ""), ("", ""), ("Admin", "conduktor"), ("\ud800", "x")],
)
def test_wrong_credentials(username: str, password: str) -> None:
    with pytest.raises(Unauthenticated, match="username or password is wrong"):
        USERS.authenticate(username, password)
