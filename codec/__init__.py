"""The Kafka protocol in pure Python: frames, headers, messages, record batches.

Messages are declared in codec.messages and compiled, on first use, into functions for each version.
The standard library is all it needs. Start here, with codec.headers and codec.frames for what is
around a body, and codec.records for what is inside a blob of records.
"""

from codec.coding import (
    decode_request,
    decode_response,
    encode,
    encode_chunks,
    response_version,
)
from codec.errors import CodecError, DecodeError, EncodeError, UnsupportedVersion
from codec.rewriting import Hooks, rewrite_request, rewrite_response
from codec.schema import Message

__all__ = [
    "CodecError",
    "DecodeError",
    "EncodeError",
    "Hooks",
    "Message",
    "UnsupportedVersion",
    "decode_request",
    "decode_response",
    "encode",
    "encode_chunks",
    "response_version",
    "rewrite_request",
    "rewrite_response",
]
