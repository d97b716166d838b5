"""The table of handlers against the codec and against the wire."""

from codec.api_keys import ApiKey
from codec.messages.api_versions import ApiVersionsRequest, ApiVersionsResponse
from sidecar.embedded.handlers.table import HANDLERS, OFFERED, unreadable


def test_everything_offered_can_be_read():
    assert unreadable(OFFERED) == []


def test_what_the_codec_cannot_read_is_named():
    offered = {ApiKey.ELECT_LEADERS: (0, 3), ApiKey.FETCH: (0, 18), ApiKey.HEARTBEAT: (-1, 4)}
    assert unreadable(offered) == ["ELECT_LEADERS", "HEARTBEAT"]


def test_produce_is_offered_from_0_and_served_from_3():
    assert OFFERED[ApiKey.PRODUCE][0] == 0
    assert HANDLERS[ApiKey.PRODUCE].min_version == 3


def test_api_versions_lists_the_table_in_every_version(running):
    for version in range(5):
        request = ApiVersionsRequest(client_software_name="x", client_software_version="1.0")
        answer = running.wire().ask(request, version, ApiVersionsResponse)
        listed = {a.api_key: (a.min_version, a.max_version) for a in answer.api_keys}
        assert listed == OFFERED
        assert answer.error_code == 0
