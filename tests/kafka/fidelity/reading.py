"""What was said on recorded connections: requests with their answers, and how connections end."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import codec
from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from codec.frames import FrameDecoder
from codec.headers import read_request_header, response_body_start, response_correlation_id
from tests.kafka.eavesdropper import Conversation

FRAME_LIMIT = 100 * 1024 * 1024
Frame = tuple[float, bytes]


@dataclass(frozen=True)
class Leader:
    """Who leads a partition, as somebody says; -1 for no leader, and for an epoch not told."""

    node: int
    epoch: int = -1


@dataclass(frozen=True)
class Exchange:
    """One request, and what became of it. Times are seconds of the monotonic clock."""

    node: int
    """The broker it was sent to."""
    api: str
    version: int
    sent: float
    answered: float | None = None
    """When the answer was complete; None: the connection ended before."""
    lost: float = 0.0
    """When it did, where there is no answer."""
    error: str = ""
    """Of the partition; empty for none, and for APIs that are not looked into."""
    leader: Leader | None = None
    """What Metadata says; in Produce the hint of KIP-951, None without."""

    @property
    def when(self) -> float:
        """When it was over."""
        return self.lost if self.answered is None else self.answered

    @property
    def acknowledged(self) -> bool:
        """Whether it is a Produce that was appended."""
        return self.api == "PRODUCE" and self.answered is not None and not self.error

    @property
    def refused(self) -> bool:
        """Whether it is a Produce that was answered with an error."""
        return self.api == "PRODUCE" and bool(self.error)


@dataclass(frozen=True)
class Link:
    """One connection. Times are seconds of the monotonic clock."""

    node: int
    opened: float
    closed: float | None = None
    by_client: bool = False
    """Who closed it first."""
    used: bool = False
    """Whether the client was ever answered."""


@dataclass(frozen=True)
class Heard:
    """All that a client said and was told, in the order in which it was over."""

    exchanges: tuple[Exchange, ...] = ()
    links: tuple[Link, ...] = ()


def heard(conversations: Iterable[Conversation], first_port: int, topic: str) -> Heard:
    """What was said about the only partition of `topic`; broker 1 is behind `first_port`.

    Raises codec's DecodeError for bytes that are not Kafka's protocol.
    """
    exchanges: list[Exchange] = []
    links: list[Link] = []
    for each in conversations:
        node = each.port - first_port + 1
        end = next((read for read in list(each.reads) if not read.size), None)
        closed, by_client = (end.at, end.from_client) if end else (None, False)
        links.append(Link(node, each.opened, closed, by_client, bool(each.to_client)))
        exchanges += _exchanges(each, node, topic, closed)
    exchanges.sort(key=lambda exchange: exchange.when)
    links.sort(key=lambda link: link.opened)
    return Heard(tuple(exchanges), tuple(links))


def _frames(conversation: Conversation, from_client: bool) -> Iterator[Frame]:
    """The frames of one side, each with the time at which it was complete."""
    data = bytes(conversation.from_client if from_client else conversation.to_client)
    decoder, position = FrameDecoder(FRAME_LIMIT), 0
    for read in list(conversation.reads):
        if read.from_client is from_client and read.size:
            end = position + read.size
            for frame in decoder.feed(data[position:end]):
                yield read.at, frame
            position = end


def _exchanges(
    conversation: Conversation, node: int, topic: str, closed: float | None
) -> Iterator[Exchange]:
    """Requests in order; brokers answer in order, so the n-th answer is the n-th request's.

    What is under way when nobody listens any more is left out.
    """
    answers = _frames(conversation, False)
    for (sent, request), answer in itertools.zip_longest(
        _answerable(_frames(conversation, True)), answers
    ):
        header = read_request_header(request)
        key, version = header.api_key, header.api_version
        name = ApiKey(key).name
        if answer is None:
            if closed is not None:
                yield Exchange(node, name, version, sent, lost=max(sent, closed))
            continue
        at, frame = answer
        assert response_correlation_id(frame) == header.correlation_id, (name, node)
        error, leader = "", None
        if key in _READERS:
            start = response_body_start(key, version, frame)
            error, leader = _READERS[ApiKey(key)](
                codec.decode_response(key, version, frame, start), topic
            )
        yield Exchange(node, name, version, sent, at, error=error, leader=leader)


def _answerable(requests: Iterator[Frame]) -> Iterator[Frame]:
    """All but Produce with acks=0, which nobody answers."""
    for at, frame in requests:
        header = read_request_header(frame)
        if header.api_key == ApiKey.PRODUCE:
            assert header.body_start is not None
            request: Any = codec.decode_request(
                ApiKey.PRODUCE, header.api_version, frame, header.body_start
            )
            if request.acks == 0:
                continue
        yield at, frame


def _produced(response: Any, topic: str) -> tuple[str, Leader | None]:
    """The error and hint of the first partition; there is one topic with one partition."""
    part = response.responses[0].partition_responses[0]
    told = part.current_leader
    hint = Leader(told.leader_id, told.leader_epoch) if told and told.leader_id != -1 else None
    return _name(part.error_code), hint


def _told(response: Any, topic: str) -> tuple[str, Leader | None]:
    """What Metadata says of the partition; nothing if it is about something else."""
    for each in response.topics:
        if each.name == topic:
            if each.error_code or not each.partitions:
                return _name(each.error_code), None
            part = each.partitions[0]
            return _name(part.error_code), Leader(part.leader_id, part.leader_epoch)
    return "", None


def _name(code: int) -> str:
    return ErrorCode(code).name if code else ""


_READERS = {ApiKey.PRODUCE: _produced, ApiKey.METADATA: _told}
