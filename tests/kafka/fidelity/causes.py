"""Why ours are different from real elections: written by hand, looked up by what is different.

A difference that no cause covers is unexplained, and `make fidelity` fails with it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tests.kafka.fidelity.differences import ASKED, TIME, Difference

ANY = ".*"


@dataclass(frozen=True)
class Covers:
    """Differences in one trait; expressions for the whole of the other fields of a Difference."""

    trait: str
    real: str = ANY
    ours: str = ANY
    there: str = ANY
    here: str = ANY
    client: str = ANY

    def match(self, one: Difference) -> bool:
        """Whether it is one of these."""
        pairs = (
            (self.real, one.real),
            (self.ours, one.ours),
            (self.there, one.there),
            (self.here, one.here),
            (self.client, one.client),
        )
        return self.trait == one.trait and all(re.fullmatch(*pair) for pair in pairs)


@dataclass(frozen=True)
class Cause:
    """A short name for tables, what it is, and what it covers."""

    name: str
    text: str
    covers: tuple[Covers, ...]


ANSWERS, COME, HINT = "Produce is answered", "errors come", "hint in Produce"
NAMES, EPOCH, BY = "Metadata names", "leader epoch", "acknowledged then by"
CONNECTION, OTHERS, LOST = "the leader's connection", "other requests", "records given up"

CAUSES: tuple[Cause, ...] = (
    Cause(
        "same leader",
        "The sidecar only says that the leader is gone. No replica moves, so the broker that was "
        "the leader is the leader afterwards, in the same epoch, and clients go back to it on the "
        "connection they have. Brokers raise the epoch with every change, to no leader and back to "
        "the same one as well. A leader that moves as far as clients can see (rung 3) is not "
        "built.",
        (
            Covers(EPOCH, there="raised", here="kept"),
            Covers(BY, there="another broker", here="the same broker"),
            Covers(NAMES, ours="rung1", here="the old leader"),
            Covers(NAMES, ours="rung2", there=".*a new leader"),
        ),
    ),
    Cause(
        "no hint",
        "From Produce v10 on a broker that has lost a partition names the new leader and its epoch "
        "in the refusal (KIP-951); ours has no hint, as the reference has none, unless `hint` asks "
        "for one, whose epoch is the old one (ADR 16). Clients that heed "
        "it (Java, librdkafka) go straight to the new leader after a real election, and have to "
        "ask with ours.",
        (
            Covers(HINT, there="the new leader", here="none"),
            Covers(ASKED, client="librdkafka|java", there="less", real="election|stop"),
        ),
    ),
    Cause(
        "each request is drawn for",
        "Rung 1 draws for each request by itself, retries as well, and forgets it at once: "
        "refusals and acknowledgements of one partition alternate, Metadata is asked for after "
        "each refusal, and how soon a request passes is luck and the client's retry backoff "
        "(100 ms in most, 300 ms and growing in kafkajs), not the cluster. After a real election "
        "the old leader refuses everything, for good.",
        (
            Covers(COME, ours="rung1", here="again.*"),
            Covers(TIME, ours="rung1"),
            Covers(ASKED, ours="rung1", there="less", here="more"),
        ),
    ),
    Cause(
        "no leader",
        "Rung 2 says LEADER_NOT_AVAILABLE in Metadata, as brokers do of a partition whose replicas "
        "are all gone: compare with the restart of the only replica. With a follower in sync a "
        "KRaft cluster never says it: the controller takes the old leader away and names the new "
        "one in the same record, so clients see the one and then the other.",
        (Covers(NAMES, ours="rung2", here="none, then the old leader.*"),),
    ),
    Cause(
        "a broker ends",
        "What ends a broker ends its connections: in an orderly stop after its partitions have "
        "moved, in a crash with requests unanswered. An election fault takes partitions away and "
        "leaves the broker alone; connection_loss and rolling_restart are for that.",
        (
            Covers(CONNECTION, real="stop|kill|alone", there="lost", here="kept"),
            # Nothing: no request was in flight.
            Covers(ANSWERS, real="kill", there="not at all|as ever"),
            Covers(HINT, there="no answer to carry it"),
            Covers(COME, real="kill", there="never"),
        ),
    ),
    Cause(
        "followers wait",
        "A new leader acknowledges with acks=all when its followers have fetched. One that asks "
        "before the new leader knows that it leads is refused, and asks again after "
        "replica.fetch.backoff.ms (1 s by default): whether a change takes 0.1 s or 1 s is a race "
        "between brokers. With ours no follower notices anything.",
        (Covers(TIME, real="election|stop", ours="rung1", there="more", here="less"),),
    ),
    Cause(
        "overtaken",
        "In some runs two of Java's batches are refused one behind the other. It sends the first "
        "to the new leader and, while the second still waits, a third, which the broker answers "
        "with OUT_OF_ORDER_SEQUENCE_NUMBER; then second and third, and nothing is lost. The "
        "sidecar refuses what follows a refused batch with the same error as that, and while "
        "there is no leader nobody sends anything.",
        (
            Covers(
                ANSWERS,
                real="election|stop",
                there="NOT_LEADER_OR_FOLLOWER, OUT_OF_ORDER_SEQUENCE_NUMBER",
                here="NOT_LEADER_OR_FOLLOWER",
                client="java",
            ),
            Covers(
                COME,
                real="election|stop",
                ours="rung2",
                there="again, behind acknowledgements",
                here="once",
                client="java",
            ),
        ),
    ),
    Cause(
        "session timeout",
        "Nobody tells the controller that a broker was killed. Until it has missed its heartbeats "
        "for broker.session.timeout.ms (9 s by default) Metadata goes on naming it, and clients go "
        "on trying it.",
        (
            Covers(TIME, real="kill", there="more", here="less"),
            Covers(ASKED, real="kill", there="more", here="less"),
        ),
    ),
    Cause(
        "how long it takes",
        "A window takes as long as was asked for, here two seconds; afterwards clients need a "
        "Metadata request, for which some wait up to a backoff. An election takes as long as it "
        "takes, and so does the restart of a broker (about twelve seconds here). While there is no "
        "leader clients ask for Metadata again and again.",
        (
            Covers(TIME, ours="rung2", there="less", here="more"),
            Covers(ASKED, ours="rung2", there="less", here="more"),
            Covers(TIME, real="alone", there="more", here="less"),
            Covers(ASKED, real="alone", there="more", here="less"),
        ),
    ),
    Cause(
        "retries run out",
        "kafkajs gives a record up after five retries, about ten seconds. What is over sooner, as "
        "ours are here, costs none.",
        (
            Covers(
                LOST,
                real="kill|alone",
                there="KafkaJSNumberOfRetriesExceeded|KafkaJSNonRetriableError",
                here="none",
                client="kafkajs",
            ),
        ),
    ),
)


def explained(one: Difference, causes: Sequence[Cause] = CAUSES) -> list[Cause]:
    """The causes of a difference; none if it is new."""
    return [cause for cause in causes if any(each.match(one) for each in cause.covers)]
