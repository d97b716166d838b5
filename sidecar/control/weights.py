"""How much text interceptors may have, so that a listing of all of them can be sent."""

from collections.abc import Mapping
from typing import Final

from sidecar.model.errors import InvalidArgument
from sidecar.model.interceptor import Interceptor

MAX_ANNOTATION_BYTES: Final = 4096
"""Keys and values of one interceptor together."""
MAX_ALL_ANNOTATION_BYTES: Final = 2 * 1024 * 1024
"""Annotations, selectors and names of leases of all interceptors, with what is around each entry.

With this a listing of the longest names stays below 4 MiB, which is what gRPC clients take.
"""

_ENTRY_BYTES = 9  # what protobuf puts around a key and a value, or an entry of a list, at most


def weight(item: Interceptor) -> int:
    """What its texts of free length add to a listing, at most, in bytes."""
    selector = item.selector
    texts = (selector.topics, selector.client_ids, selector.principals, selector.groups)
    entries = [len(text.encode()) for group in (*texts, selector.apis) for text in group]
    entries += [_ENTRY_BYTES] * (
        len(selector.partitions) + len(selector.brokers) + len(selector.acks)
    )
    return (
        _size(item.annotations)
        + sum(entries)
        + len(item.lease.encode())
        + _ENTRY_BYTES * len(item.draws)
        + _ENTRY_BYTES * (len(item.annotations) + len(entries))
    )


def check_annotations(item: Interceptor) -> None:
    """Refuse annotations that are too long.

    Raises:
        InvalidArgument: they are.
    """
    size = _size(item.annotations)
    if size > MAX_ANNOTATION_BYTES:
        raise InvalidArgument.of(
            "annotations",
            f"annotations has {size} bytes of keys and values,"
            f" at most {MAX_ANNOTATION_BYTES} are allowed",
        )


def _size(annotations: Mapping[str, str]) -> int:
    return sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())
