"""ApiVersions, the part clients need before they know anything."""

import struct

import pytest

from codec.messages.api_versions import ApiVersionsRequest, ApiVersionsResponse


def test_a_version_from_the_future_is_answered_in_version_0(running):
    wire = running.wire()
    body = struct.pack(">hhih", 18, 5, 77, -1) + b"\x00\x02x\x02y\x00"
    wire.sock.sendall(struct.pack(">i", len(body)) + body)
    answer = wire.sock.recv(1000)
    assert answer.hex() == "00000010" + "0000004d" + "0023" + "00000001" + "0012" + "0000" + "0004"
    request = ApiVersionsRequest(client_software_name="x", client_software_version="1")
    assert wire.ask(request, 3, ApiVersionsResponse).error_code == 0


@pytest.mark.parametrize("name", ["", "-x", "x-", "a b", "x\n"])
def test_a_client_name_must_be_one(running, name):
    request = ApiVersionsRequest(client_software_name=name, client_software_version="1")
    wire = running.wire()
    assert wire.ask(request, 3, ApiVersionsResponse).error_code == 42
    assert wire.ask(ApiVersionsRequest(), 2, ApiVersionsResponse).error_code == 0
