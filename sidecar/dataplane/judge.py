"""Decides about Produce requests of one topic and one partition from their first bytes.

As `Injector.decide` does for decoded requests, with the same draws and the same records, in a
fraction of the time: the answer and the record of requests that begin alike differ in a few numbers
only. What is not of that form goes to the session, with the draws that were made.

Layouts: Kafka protocol, Produce v3-13, record batch v2.
"""

from collections.abc import Callable
from dataclasses import replace
from struct import Struct
from typing import Any, Final

import codec
from codec.api_keys import ApiKey, is_flexible
from codec.headers import RequestHeader, response_header
from codec.messages.produce import ProduceRequest
from sidecar.dataplane.heads import Verdict
from sidecar.dataplane.heeding import Heeding
from sidecar.dataplane.injecting import injection
from sidecar.dataplane.injector import Injector
from sidecar.dataplane.lanes import Beginning
from sidecar.dataplane.ordering import Heeded, Pending
from sidecar.dataplane.pipeline import Pipeline, Stage
from sidecar.dataplane.recovering import ClientRecoveries
from sidecar.dataplane.ruling import Heeds, Watch
from sidecar.dataplane.sequences import Batch, Cause
from sidecar.faults.base import Answer, Asked, Decision
from sidecar.model.injection import DRAWN, FOLLOWS, Brief, Form

_BATCH: Final = "8xi4xB26xqhii"
"""Length behind it, magic, producer id and epoch, base sequence, record count."""
_CLASSIC: Final = Struct(">iii" + _BATCH)
"""Before v9: count of partitions, index, bytes of records, record batch."""
_COMPACT: Final = tuple(Struct(f">Bi{n}x{_BATCH}") for n in range(6))
"""Since v9: count + 1, index, bytes of records + 1 as a varint of n bytes, record batch."""
_COMPACT_SIZE: Final = 5
_SIZE_OF_BATCH: Final = Struct(">" + _BATCH).size
_BATCH_LENGTH_FROM: Final = 12
_TAGS: Final = 3
"""Empty tag sections behind the records since v9: partition, topic, request."""
_RESPONSE: Final = Struct(">ii")
_CORRELATION_ID_SIZE: Final = 4
_MAX_BEGINNINGS: Final = 64
_MAX_ANSWERS: Final = 1000

_Head = tuple[int, int, int, int, int]
"""Of a partition's only batch: partition, record count, producer id and epoch, base sequence."""


class _Refusals:
    """What refusals of requests of one beginning by one interceptor have in common."""

    __slots__ = ("answers", "forms")

    def __init__(self) -> None:
        self.answers: dict[int, bytes | None] = {}
        """By partition: a response behind its correlation id; None: the session must see the
        request."""
        self.forms: dict[tuple[str, bool], Form] = {}
        """By reason and whether the producer is idempotent."""


class _Known:
    """A beginning, and how requests of it are refused."""

    __slots__ = ("beginning", "by_stage", "client", "flexible", "plain", "stages")

    def __init__(
        self, beginning: Beginning, stages: tuple[Stage, ...], client: ClientRecoveries
    ) -> None:
        self.beginning = beginning
        self.stages = tuple(stage for stage in stages if _means(stage, beginning))
        """Who draws for requests that begin so, but for what their partition decides."""
        self.plain = all(stage.plain for stage in self.stages)
        self.flexible = is_flexible(ApiKey.PRODUCE, beginning.version)
        self.by_stage: dict[Stage, _Refusals] = {}
        self.client = client


class Judge:
    """Asked once for each Produce request that a lane knows, in the order they come.

    Args:
        injector: whose draws, refused batches and records these are.
        pipeline: whose interceptors count.
        clock: seconds since the epoch.
    """

    def __init__(self, injector: Injector, pipeline: Pipeline, clock: Callable[[], float]) -> None:
        self._injector = injector
        self._stages = injector.stages(pipeline, ApiKey.PRODUCE)
        self._refused = injector.refused
        self._clock = clock
        self._beginnings: dict[Beginning, _Known] = {}
        self._oracle = injector.heeding.oracle
        self._known = self._new(Beginning(-1, b"", None, 0, "", 0))

    def _new(self, beginning: Beginning) -> _Known:
        return _Known(beginning, self._stages, self._injector.heeding.client(beginning.client_id))

    def learn(self, beginning: Beginning) -> bool:
        """From now on requests begin like this; whether they need not be asked about."""
        known = self._beginnings.get(beginning)
        if known is None:
            if len(self._beginnings) >= _MAX_BEGINNINGS:
                self._beginnings.clear()
            known = self._beginnings[beginning] = self._new(beginning)
        self._known = known
        return not (known.stages or self._refused or known.client.produce or self._oracle)

    def __call__(
        self, buffer: Any, position: int, end: int, after: int, correlation_id: int
    ) -> bytes | Verdict | Heeded | None:
        """What is done with the request at `position`, of which what is before `end` has arrived.

        Returns None to forward it, a `Heeded` to do so and look at its answer, its answer to refuse
        it (then that is recorded), or `Verdict.COLLECT`: the next request the injector decides
        about must be this one.
        """
        known = self._known
        stages = known.stages
        cause = head = None
        rest: tuple[Stage, ...] = ()
        read = _compact if known.flexible else _classic
        if not known.plain:
            head = read(buffer, position + known.beginning.size, end, after)
            if head is None:
                self._injector.hold(None, stages)
                return Verdict.COLLECT
            stages = self._in_turn(stages, head[0])
        for place, stage in enumerate(stages, 1):
            number, chosen = stage.draw()
            if chosen and self._may(stage):
                cause, rest = Cause(stage, number), stages[place:]
                break
        else:
            if not (self._refused or known.client.produce or self._oracle):
                return None
        head = head or read(buffer, position + known.beginning.size, end, after)
        if head is None:
            self._injector.hold(cause, rest)
            return Verdict.COLLECT
        _, _, producer_id, epoch, sequence = head
        batches: tuple[Batch, ...] = ()
        if producer_id >= 0:
            key = (known.beginning.topic, head[0], producer_id)
            batches = (Batch(key, epoch, sequence, head[1]),)
        if cause is not None:
            return self._refuse(cause, DRAWN, rest, head, batches, correlation_id)
        cause = self._refused.before(batches)
        if cause is not None:
            return self._refuse(cause, FOLLOWS, rest, head, batches, correlation_id)
        self._refused.forwarded(batches)
        return self._heed(head[0], batches, correlation_id)

    def _heed(
        self, partition: int, batches: tuple[Batch, ...], correlation_id: int
    ) -> Heeded | None:
        """Whether the answer to a request that is forwarded has to be looked at."""
        beginning, client = self._known.beginning, self._known.client
        if not beginning.acks:
            return None
        opened = client.produce.get((beginning.topic, partition))
        if opened is not None:
            opened.retries += 1
        elif self._oracle is None or not batches:
            return None
        return _Heeded(
            correlation_id, beginning, partition, self._injector.heeding, client, batches
        )

    def _in_turn(self, stages: tuple[Stage, ...], partition: int) -> tuple[Stage, ...]:
        """Those that draw for a request of this partition now."""
        now = self._clock()
        found = []
        for stage in stages:
            if stage.is_over(now):
                self._injector.roster.drop(stage)
            elif stage.selection is None or stage.selection.partition(partition):
                found.append(stage)
        return tuple(found)

    def _may(self, stage: Stage) -> bool:
        """Whether its limits let it refuse; what else it could do is left to the session."""
        budget = stage.budget
        return budget is None or not stage.rule.memorable or budget.affords(1, self._clock())

    def _refuse(
        self,
        cause: Cause,
        reason: str,
        rest: tuple[Stage, ...],
        head: _Head,
        batches: tuple[Batch, ...],
        correlation_id: int,
    ) -> bytes | Verdict | Heeded | None:
        """Record a refusal; as `__call__`."""
        stage, number = cause
        refusals = self._known.by_stage.get(stage)
        if refusals is None:
            refusals = self._known.by_stage[stage] = _Refusals()
        answer = refusals.answers.get(head[0])
        if answer is None:
            answer = self._new_answer(stage, head[0], refusals)
            if answer is None:
                self._injector.hold(cause if reason is DRAWN else None, rest)
                return Verdict.COLLECT
        form = refusals.forms.get((reason, bool(batches)))
        if form is None:
            form = self._new_form(stage, reason, idempotent=bool(batches))
            refusals.forms[reason, bool(batches)] = form
        now = self._clock()
        if not self._injector.notes.record((Brief(form, now, correlation_id, *head, number),)):
            self._refused.forwarded(batches)
            return self._heed(head[0], batches, correlation_id)
        place = self._known.beginning.topic, head[0]
        self._known.client.failed(place, form.common, now, retry=reason is DRAWN)
        if stage.budget is not None and reason is DRAWN:
            stage.budget.spend(1, now)
        for batch in batches:
            self._refused.refused(batch, cause)
        return _RESPONSE.pack(len(answer) + _CORRELATION_ID_SIZE, correlation_id) + answer

    def _new_answer(self, stage: Stage, partition: int, refusals: _Refusals) -> bytes | None:
        """The response that refuses one partition, behind its correlation id."""
        if not stage.rule.memorable:
            return None
        beginning = self._known.beginning
        decision = _decision(stage, beginning, partition)
        if not isinstance(decision, Answer):
            return None
        head = response_header(ApiKey.PRODUCE, beginning.version, 0)[_CORRELATION_ID_SIZE:]
        if len(refusals.answers) >= _MAX_ANSWERS:
            refusals.answers.clear()
        answer = head + codec.encode(decision.response, beginning.version)
        refusals.answers[partition] = answer
        return answer

    def _new_form(self, stage: Stage, reason: str, *, idempotent: bool) -> Form:
        beginning = self._known.beginning
        decision = _decision(stage, beginning, 0)
        if not isinstance(decision, Answer):
            raise AssertionError("a form is for what is answered")
        common = injection(
            peer=self._injector.peer,
            identity=self._injector.identity,
            header=RequestHeader(ApiKey.PRODUCE, beginning.version, 0, beginning.client_id, None),
            stage=stage,
            draw=0,
            reason=reason,
            decision=decision,
            now=0.0,
            topic=beginning.topic,
            partition=0,
            acks=beginning.acks,
            batches=(),
        )
        return Form(replace(common, batch_count=1), idempotent=idempotent)


class _Heeded(Heeded):
    """A forwarded request of one partition, see `heeding`."""

    __slots__ = ("_batches", "_beginning", "_client", "_heeding", "_partition")

    def __init__(
        self,
        correlation_id: int,
        beginning: Beginning,
        partition: int,
        heeding: Heeding,
        client: ClientRecoveries,
        batches: tuple[Batch, ...],
    ) -> None:
        # Not by the base's own: a call for each request that follows an error.
        self.correlation_id = self.usual = correlation_id
        self.at = beginning.reply_at
        self.size = beginning.reply_size
        self._beginning = beginning
        self._partition = partition
        self._heeding = heeding
        self._client = client
        self._batches = batches

    def told(self, partition: int, error: int, base_offset: int, now: float) -> bool:
        if partition != self._partition:
            return False
        if not error:
            for batch in self._batches:
                self._heeding.acknowledged(self._client, batch, base_offset, now)
            opens = self._client.produce
            if opens:
                self._client.succeeded(opens, (self._beginning.topic, partition), now)
        return True

    def pending(self) -> Pending:
        key, version = ApiKey.PRODUCE, self._beginning.version
        header = RequestHeader(key, version, self.correlation_id, self._beginning.client_id, None)
        context = self.usual[1].context if isinstance(self.usual, tuple) else None
        watch = Watch(header, 0.0, 0.0, (), {}, (), Heeds(self._client, self._batches))
        return Pending(self.correlation_id, key, version, context, watch)


def _classic(buffer: Any, position: int, end: int, after: int) -> _Head | None:
    """The head of the only partition, from where its count stands; None if it is not one."""
    if position + _CLASSIC.size > end:
        return None
    count, partition, size, length, magic, producer_id, epoch, sequence, records = (
        _CLASSIC.unpack_from(buffer, position)
    )
    batch = position + _CLASSIC.size - _SIZE_OF_BATCH
    if count != 1 or magic != 2 or length + _BATCH_LENGTH_FROM != size or batch + size != after:
        return None
    return partition, records, producer_id, epoch, sequence


def _compact(buffer: Any, position: int, end: int, after: int) -> _Head | None:
    """As `_classic`, since v9."""
    varint = position + _COMPACT_SIZE
    size = shift = 0
    batch = varint
    while batch < end and batch < varint + 5:
        byte = buffer[batch]
        batch += 1
        size |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
    else:
        return None
    if batch + _SIZE_OF_BATCH > end or batch + size - 1 + _TAGS != after:
        return None
    count, partition, length, magic, producer_id, epoch, sequence, records = _COMPACT[
        batch - varint
    ].unpack_from(buffer, position)
    if count != 2 or magic != 2 or length + _BATCH_LENGTH_FROM != size - 1:
        return None
    return partition, records, producer_id, epoch, sequence


def _decision(stage: Stage, beginning: Beginning, partition: int) -> Decision:
    """What the rule does with a request of one partition."""
    topic = ProduceRequest.TopicProduceData
    data = topic.PartitionProduceData(index=partition, records=None)
    only = topic(name=beginning.topic, topic_id=beginning.topic_id, partition_data=[data])
    request = ProduceRequest(acks=beginning.acks, topic_data=[only])
    return stage.rule.decide(Asked(ApiKey.PRODUCE, beginning.version, request, _no_chance))


def _means(stage: Stage, beginning: Beginning) -> bool:
    meant, topic = stage.selection, stage.rule.topic
    if topic is not None and not topic(beginning.topic):
        return False
    return meant is None or meant.beginning(beginning.client_id, beginning.acks, beginning.topic)


def _no_chance() -> float:
    raise AssertionError("a memorable rule leaves nothing to chance")
