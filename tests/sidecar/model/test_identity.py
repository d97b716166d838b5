"""Who a client is, and what stands before its names."""

from sidecar.model.identity import ANONYMOUS, Identity


def test_a_tenant_is_prefixed_by_the_name_of_its_virtual_cluster() -> None:
    assert Identity("sa", "teamA").prefix == "teamA"


def test_passthrough_and_anonymous_clients_see_physical_names() -> None:
    assert Identity("sa", "passthrough").prefix == ""
    assert (ANONYMOUS.username, ANONYMOUS.virtual_cluster) == ("anonymous", "passthrough")
    assert ANONYMOUS.prefix == ""
