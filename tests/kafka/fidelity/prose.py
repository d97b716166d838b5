"""What people wrote for docs/fidelity.md; the rest of the page is measured."""

from __future__ import annotations

HEAD = """\
# Real elections beside ours

Made by `make fidelity`, never edited: what producers do when a leader changes on real brokers,
beside what they do when the sidecar says so. Each difference has a cause; a new one without a cause
fails the command.

## What it comes to

- **Rung 1** (sampled refusals) has the error of an election and nothing else of it: nobody moves,
  and what passes and what is refused alternate. It exercises retries, not rerouting.
- **Rung 2** (no leader for a while) is what clients see while the only replica of a partition
  restarts, but for the epoch and the connection. It is not what they see where a follower is in
  sync: no broker said LEADER_NOT_AVAILABLE in an election, a stop or a kill. Metadata names the
  old leader until it names the new one, and after a kill that takes nine seconds.
- What neither has: a leader that moves, its epoch, the hint in the refusal (KIP-951), and the
  connection that is lost when a broker ends.
- Most of the time to recover from a real election is the brokers', not the client's: nothing, one
  second, or two. Followers that fetch from the new leader before it knows that it leads wait
  replica.fetch.backoff.ms, one second by default, and so does the first produce with acks=all. With
  `make fidelity ARGS="--case election --setting replica.fetch.backoff.ms=50"` that second is gone:
  42 to 316 ms in ten elections.
"""

METHOD = """\
## Method

{date}; Apache Kafka {kafka}, three brokers (node 1 is the controller too) on one machine, which
other work shared: {machine}. `make fidelity`, {runs} runs of each case.

Client, recorder, sidecar and broker in a row, also where the sidecar injects nothing: the recorder
keeps every byte with the time at which it came, and what is told here was read from that. One
record in {interval} ms to a topic of one partition, led by broker 2, replicas on 2, 3 and 1,
min.insync.replicas 2; the event comes when the client has produced for four seconds. All else is
at its default, on brokers and in clients, but auto.leader.rebalance.enable, which is off. Where a
broker is stopped, the recorder refuses connections as the broker does. (The sidecar itself accepts
them and closes them at once: kafka-python, for which a connection that is accepted is a success,
then tries again without a pause.) Producers only: consumers are not compared yet.
"""

CLIENT_NOTES: dict[str, str] = {
    "java": (
        "Heeds the hint: it connects to the new leader at once, and asks for Metadata all the "
        "same. Where the only answer is that there is no leader, or still the dead one, it asks "
        "with a growing backoff, up to once a second."
    ),
    "librdkafka": (
        "Heeds the hint and asks nobody: a real election is the one case without a Metadata "
        "request, until a connection is lost. Not being idempotent it has more requests in flight, "
        "which are refused together."
    ),
    "kafka-python": (
        "Speaks Produce v9, so it never sees a hint, and asks Metadata once. While a dead leader "
        "is still named, it asks again only when it has failed to connect to it once more, and "
        "these pauses double (reconnect_backoff_ms 50 to 30,000): it may notice the new leader "
        "late by about as long as the outage was."
    ),
    "aiokafka": (
        "Knows no hints and no epochs (Metadata v5). When Metadata says that there is no leader, "
        "it asks again at once, without a pause, for as long as that is so (the loop in "
        "`producer/sender.py` waits for nothing but the answer): about a thousand requests a "
        "second, on real brokers as with rung 2."
    ),
    "kafkajs": (
        "Knows no hints and no epochs (Metadata v6). It retries a record five times with pauses of "
        "300 ms and growing, by chance; what is out for longer than about ten seconds costs the "
        "record, which its user is told. It is awaited record by record here, so what waits "
        "behind it is sent later, not lost."
    ),
}
