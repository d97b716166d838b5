"""Names of virtual clusters that are prefix-free: each its own, and nobody else's."""

from hypothesis import assume, given
from hypothesis import strategies as st

from sidecar.dataplane.tenancy.names import Names
from sidecar.model.virtual_clusters import conflicts

LEGAL = st.text("abAB01._-", min_size=1, max_size=6)
CLUSTERS = st.lists(LEGAL, min_size=2, max_size=6, unique=True)


@given(clusters=CLUSTERS, name=LEGAL)
def test_every_name_comes_back_and_is_hidden_from_every_other_virtual_cluster(
    clusters: list[str], name: str
) -> None:
    assume(not conflicts(clusters))
    tenants = [Names(cluster) for cluster in clusters]
    logical = name.encode()

    for tenant in tenants:
        topic, other = tenant.physical_topic(logical), tenant.physical(logical)
        assert tenant.logical_topic(topic) == tenant.logical(other) == logical
        for stranger in tenants:
            if stranger is not tenant:
                assert stranger.logical_topic(topic) is None
                assert stranger.logical(other) is None


@given(
    clusters=CLUSTERS,
    aliases=st.dictionaries(LEGAL, LEGAL.map("ops-{}".format), max_size=3),
    name=LEGAL,
)
def test_aliases_come_back_and_hide_the_topic_of_the_same_name(
    clusters: list[str], aliases: dict[str, str], name: str
) -> None:
    assume(not conflicts([*clusters, "ops-"]))
    assume(len(set(aliases.values())) == len(aliases))
    tenant, stranger = Names(clusters[0], aliases), Names(clusters[1])

    for logical, physical in aliases.items():
        assert tenant.physical_topic(logical.encode()) == physical.encode()
        assert tenant.logical_topic(physical.encode()) == logical.encode()
        assert tenant.logical_topic((clusters[0] + logical).encode()) is None
        assert stranger.logical_topic(physical.encode()) is None
    topic = tenant.physical_topic(name.encode())
    assert tenant.logical_topic(topic) == name.encode()


def test_the_empty_name_is_nobodys_and_stays() -> None:
    for names in (Names("team"), Names("")):
        assert names.physical_topic(b"") == b""
        assert names.logical_topic(b"") == b""
    # A topic that is called like the virtual cluster is not one of its topics.
    assert Names("team").logical_topic(b"team") is None
