"""What is done to the requests of one connection: draws, decisions, and their records."""

from collections.abc import Callable, Sequence
from typing import Any

from codec.api_keys import ApiKey
from codec.headers import RequestHeader
from codec.messages.produce import ProduceResponse
from sidecar.dataplane import splitting
from sidecar.dataplane.fetch_contents import Contents, FetchContents
from sidecar.dataplane.heeding import Heeding
from sidecar.dataplane.injecting import Peer
from sidecar.dataplane.noting import Notes, Record
from sidecar.dataplane.pipeline import Pipeline, Stage
from sidecar.dataplane.recovering import Recoveries
from sidecar.dataplane.ruling import Ruling, Struck, Watch
from sidecar.dataplane.sequence_oracle import SequenceOracle
from sidecar.dataplane.sequences import Cause, RefusedSequences, batches
from sidecar.dataplane.throttles import Throttles
from sidecar.dataplane.topic_names import TopicNames, by_id
from sidecar.dataplane.turns import Roster, Seen, asks_for_topics, causes, decide
from sidecar.faults.base import (
    Answer,
    Answered,
    Asked,
    Await,
    Change,
    Connection,
    Delay,
    Deny,
    Disconnect,
    Forward,
    Refuse,
    Swallow,
    Throttle,
)
from sidecar.faults.draws import further
from sidecar.faults.refusals import refuse_produce
from sidecar.model.identity import Identity
from sidecar.model.injection import DRAWN, FOLLOWS


class Injector:
    """The interceptors that apply to one identified client.

    Args:
        peer: the client, as events name it.
        identity: whose interceptors count.
        record: see `Record`.
        logical_topic: topic id to the name of a topic of the client's own, or None.
        lapsed: called when it has become less that is looked at, under the same pipeline, or more.
        recoveries, oracle: see `heeding`.
    """

    def __init__(
        self,
        peer: Peer,
        identity: Identity,
        record: Record,
        logical_topic: Callable[[bytes], str | None],
        lapsed: Callable[[], None],
        recoveries: Recoveries,
        oracle: SequenceOracle | None,
    ) -> None:
        self.peer = peer
        self.identity = identity
        self._lapsed = lapsed
        self.heeding = Heeding(peer, identity, recoveries, oracle, self._heeds_changed)
        self.notes = Notes(peer, identity, record, self.heeding.told)
        self._topics = TopicNames(logical_topic)
        self._fetched = FetchContents()
        self.roster = Roster(peer, identity, lapsed)
        self._pipeline: Pipeline | None = None
        self.refused = RefusedSequences()
        self.throttles = Throttles()
        self._held: tuple[Cause | None, Sequence[Stage]] | None = None
        self._connections: dict[str, Connection] = {}
        """By uid of the interceptor: what its rule is told and keeps of this connection."""

    def wants(self, pipeline: Pipeline, api_key: int) -> bool:
        """Whether requests of this API are drawn for, held against refused ones, or heeded."""
        if pipeline.snapshot.interceptors:
            self.heeding.client(self.peer.client_id)
        if api_key == ApiKey.FETCH and not self.stages(pipeline, api_key):
            self._fetched.forget()
        return (
            bool(self.stages(pipeline, api_key))
            or (api_key == ApiKey.PRODUCE and len(self.refused) > 0)
            or self.heeding.wants(api_key)
        )

    def _heeds_changed(self, api_key: ApiKey) -> None:
        """Who draws for an API looks at all its requests anyhow."""
        if not self.roster.draws(api_key):
            self._lapsed()

    def hold(self, drawn: Cause | None, rest: Sequence[Stage]) -> None:
        """Keep draws made for a request before it came whole.

        The next call of `decide` must be for this request; it goes on with these draws: `drawn` if
        one selected it, then those of `rest`.
        """
        self._held = drawn, rest

    def decide(
        self, pipeline: Pipeline, header: RequestHeader, data: Any, now: float
    ) -> Ruling | None:
        """What is done to a request, recorded already; None: nothing.

        Every request that is selected is drawn for, also one that is refused for what came before
        it: the n-th draw is the n-th such request's.
        """
        first, stages = self._held or (None, self.stages(pipeline, header.api_key))
        self._held = None
        seen, session = self._seen(header, data, stages)
        turns: list[Cause | Stage] = [*stages] if first is None else [first, *stages]
        ruling = None
        for cause in causes(turns, pipeline, header, seen, now, self.roster.drop):
            request = seen.request
            if request is None:
                return ruling
            ruling = ruling or Ruling()
            if not self._apply(cause, header, request, ruling, now):
                return ruling
        if self.refused and header.api_key == ApiKey.PRODUCE and seen.request is not None:
            left = ruling.request if ruling is not None else None
            ruling = self._behind_refused(header, left or seen.request, ruling, now)
        if ruling is not None and ruling.refusal is None:
            self._record_forwarded(ruling, header, seen.request, now)
        if ruling is not None and ruling.refusal is not None:
            return ruling
        return self._awaited(pipeline, header, seen, session, ruling, now)

    def _awaited(
        self,
        pipeline: Pipeline,
        header: RequestHeader,
        seen: Seen,
        session: Contents | None,
        ruling: Ruling | None,
        now: float,
    ) -> Ruling | None:
        """The ruling about a request that is forwarded, with what its answer is looked at for."""
        if session is not None:
            ruling = ruling or Ruling()
            ruling.session = session
        if self.heeding.wants(header.api_key) and seen.request is not None:
            ruling = self.heeding.asked(header, seen.request, ruling)
        if header.api_key == ApiKey.METADATA:
            learners = pipeline.learners(self.identity, now)
            if learners:
                ruling = ruling or Ruling()
                ruling.learners = learners
        return ruling

    def _seen(
        self, header: RequestHeader, data: Any, stages: Sequence[Stage]
    ) -> tuple[Seen, Contents | None]:
        """A request, and what is in the fetch session that it asks for.

        Where it matters what a Fetch is about, each has to be looked at: it may name nothing.
        """
        if header.api_key != ApiKey.FETCH or not any(map(asks_for_topics, stages)):
            if header.api_key == ApiKey.FETCH:
                self._fetched.forget()
            return Seen(self._topics.read, header, data), None
        request = self._topics.read(header, data)
        if request is None:
            self._fetched.forget()
            return Seen(lambda *_: None, header, data), None
        whole, session = self._fetched.asked(request)
        return Seen(lambda *_: whole, header, data), session

    def _apply(
        self, cause: Cause, header: RequestHeader, request: Any, ruling: Ruling, now: float
    ) -> bool:
        """Have one rule decide; whether others may too.

        What is refused, and the sequences in it, is what the client sent, not what another rule
        would have made of it.
        """
        api = ApiKey(header.api_key)
        request = ruling.request or request
        latest = ruling.left_of(ruling.changes[-1][0].message) if ruling.changes else request
        asked = Asked(
            api,
            header.api_version,
            latest,
            further(cause.stage.interceptor.seed, cause.draw),
            cause.stage.interceptor.seed,
            now,
            self.identity.virtual_cluster,
            self._connection(cause.stage),
        )
        decision = decide(cause.stage, asked)
        if api in cause.stage.rule.watches:
            ruling.causes.append((cause, None))
        match decision:
            case Answer() | Disconnect() | Swallow():
                if self._refused(decision, cause, DRAWN, header, request, now):
                    ruling.refusal, ruling.by = decision, cause
                return False
            case Refuse():
                self._split(decision, cause, DRAWN, header, request, ruling, now)
                return ruling.refusal is None
            case Await(kept):
                ruling.causes.append((cause, kept))
            case Delay():
                if api is not ApiKey.PRODUCE or request.acks:  # or there is no answer to delay
                    ruling.delays.append((decision, cause))
            case Throttle():
                ruling.throttles.append((decision, cause))
            case Change():
                ruling.changes.append((decision, cause))
        return True

    def _record_forwarded(
        self, ruling: Ruling, header: RequestHeader, request: Any, now: float
    ) -> None:
        """Record what is done to a request that is forwarded; what cannot be is not done."""
        for made, cause in ruling.changes:
            parts = [
                part for part in made.parts if (part.topic, part.partition) not in ruling.refused
            ]
            change = Change(ruling.left_of(made.message), parts)
            if not self.notes.made(change, cause, header, change.message, now):
                break  # and with it those that were made of its message
            ruling.request = change.message
        for delay, cause in ruling.delays:
            if self.notes.made(delay, cause, header, request, now):
                ruling.delay = max(ruling.delay, delay.seconds)
        for throttle, cause in ruling.throttles:
            uid = cause.stage.interceptor.uid
            if not self.throttles.has(uid) and self.notes.made(
                throttle, cause, header, request, now
            ):
                self.throttles.begin(uid, throttle)
                ruling.paced = True

    def answered(self, pipeline: Pipeline, watch: Watch, message: Any, now: float) -> Struck:
        """What becomes of the answer to a request.

        Args:
            message: the decoded response, named as the client names things.
        """
        header = watch.header
        delay = watch.delay
        unknown = self._topics.name(header, message)
        self._told_by_broker(watch, message, now)
        for cause, kept in watch.causes:
            if now >= pipeline.ends(cause.stage.interceptor.uid):
                continue
            chance = further(cause.stage.interceptor.seed, cause.draw)
            api = ApiKey(header.api_key)
            where = self.identity.virtual_cluster
            connection = self._connection(cause.stage)
            seed = cause.stage.interceptor.seed
            answered = Answered(
                api, header.api_version, message, chance, kept, now, where, connection, seed
            )
            decision = cause.stage.rule.answered(answered)
            if isinstance(decision, Forward) or not self.notes.made(
                decision, cause, header, message, now, response=True
            ):
                continue
            match decision:
                case Delay(seconds):
                    delay = max(delay, seconds)
                case Change() | Deny():
                    message = decision.message
                case Disconnect():
                    return Struck(None, now)
        if watch.refused:
            message = splitting.merged(message, watch.order, watch.refused, watch.hints)
        due = watch.asked_at + delay
        if watch.heeds is not None:
            self.heeding.answered(header.api_key, watch.heeds, message, max(now, due))
        return Struck(message, due, unknown)

    def _told_by_broker(self, watch: Watch, message: Any, now: float) -> None:
        """Who wants to know hears what an answer says before faults."""
        if watch.session is not None and not message.error_code:
            self._fetched.given(message.session_id, watch.session)
        if watch.heeds is not None:
            self.heeding.appended(watch.heeds, message, now)
        for learner in watch.learners:
            learner.learn(self.identity.virtual_cluster, message)

    def _split(
        self,
        decision: Refuse,
        cause: Cause,
        reason: str,
        header: RequestHeader,
        request: Any,
        ruling: Ruling,
        now: float,
    ) -> None:
        """Take what is refused out of a request; if nothing is left, it is refused as a whole."""
        struck = splitting.picked(request, decision.parts.__contains__)
        left = splitting.picked(request, lambda place: place not in decision.parts)
        if not left.topic_data and not ruling.refused:
            hints = decision.hints
            told = refuse_produce(request, decision.error, hints)
            answer = Answer(told, decision.error, hints=hints)
            if self._refused(answer, cause, reason, header, request, now):
                ruling.refusal = answer
            return
        if not self._refused(decision, cause, reason, header, struck, now):
            return
        ruling.order = ruling.order or splitting.order_of(request)
        ruling.refused.update(dict.fromkeys(decision.parts, decision.error))
        ruling.hints.update(decision.hints)
        ruling.request = left
        if not left.topic_data:
            nothing = ProduceResponse()
            answer = splitting.merged(nothing, ruling.order, ruling.refused, ruling.hints)
            ruling.refusal = Answer(answer, decision.error)

    def _behind_refused(
        self, header: RequestHeader, request: Any, ruling: Ruling | None, now: float
    ) -> Ruling | None:
        """Refuse what has a refused batch before it, as that one was."""
        found = batches(request)
        behind = {batch: cause for batch in found if (cause := self.refused.before([batch]))}
        if not behind:
            self.refused.forwarded(found)
            return ruling
        cause = next(iter(behind.values()))
        rule = cause.stage.rule
        asked = Asked(
            ApiKey.PRODUCE,
            header.api_version,
            request,
            further(cause.stage.interceptor.seed, cause.draw),
            virtual_cluster=self.identity.virtual_cluster,
            connection=self._connection(cause.stage),
        )
        if rule.splits is not None and request.acks != 0:
            ruling = ruling or Ruling()
            parts = frozenset((batch.key[0], batch.key[1]) for batch in behind)
            refuse = Refuse(parts, rule.splits, rule.hints(asked, parts))
            self._split(refuse, cause, FOLLOWS, header, request, ruling, now)
            self.refused.forwarded(batch for batch in found if batch not in behind)
            return ruling
        decision = rule.decide(asked)
        if not isinstance(decision, Answer | Disconnect):
            return ruling
        if self._refused(decision, cause, FOLLOWS, header, request, now):
            return Ruling(decision)
        return ruling

    def unknown_topics(self, pipeline: Pipeline, header: RequestHeader, data: Any) -> set[bytes]:
        """Topic ids whose names are needed to decide about a request, and are not known."""
        if not by_id(header) or not self.wants(pipeline, header.api_key):
            return set()
        return self._topics.unknown(header, data)

    def stages(self, pipeline: Pipeline, api_key: int) -> tuple[Stage, ...]:
        """Who draws for requests of this API, in order."""
        if pipeline is not self._pipeline:
            self._pipeline = pipeline
            there = {interceptor.uid for interceptor in pipeline.snapshot.interceptors}
            for uid in self._connections.keys() - there:
                del self._connections[uid]
        return self.roster.stages(pipeline, api_key)

    def _connection(self, stage: Stage) -> Connection:
        """This connection, as the rule of an interceptor sees it."""
        uid = stage.interceptor.uid
        found = self._connections.get(uid)
        if found is None:
            found = self._connections[uid] = Connection(
                self.peer.client_software_name, broker_id=self.peer.broker_id
            )
        return found

    def _refused(
        self,
        decision: Answer | Disconnect | Swallow | Refuse,
        cause: Cause,
        reason: str,
        header: RequestHeader,
        request: Any,
        now: float,
    ) -> bool:
        """Whether a refusal is on record; else it is none."""
        produce = header.api_key == ApiKey.PRODUCE
        if not self.notes.made(decision, cause, header, request, now, reason=reason):
            if produce:
                self.refused.forwarded(batches(request))
            return False
        if produce and not isinstance(decision, Disconnect | Swallow):
            for batch in batches(request):
                self.refused.refused(batch, cause)
        return True
