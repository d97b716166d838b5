"""The only place where the parts of a sidecar are built and connected; start and stop order.

Control first, so that /health can say "not yet"; then the cluster is found and clients let in.
"""

import secrets
import time
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import gevent
import structlog

from rest_bridge.server import BridgeServer
from sidecar import __version__, security
from sidecar.admission import Admission
from sidecar.api.grpc_server import ControlServer, Services
from sidecar.config import Settings
from sidecar.control import ports
from sidecar.control.alias_topics import AliasTopicService
from sidecar.control.interceptors import InterceptorService
from sidecar.control.journal import Journal
from sidecar.control.leases import LeaseService
from sidecar.control.state import ControlState
from sidecar.control.tokens import TokenAuthority
from sidecar.control.user_mappings import UserMappingService
from sidecar.control.virtual_clusters import VirtualClusterService
from sidecar.crossing import Crossing
from sidecar.dataplane.addresses import AddressBook
from sidecar.dataplane.pipeline import Mark, Pipeline
from sidecar.dataplane.recovering import Recoveries
from sidecar.dataplane.sequence_oracle import SequenceOracle
from sidecar.dataplane.shared import Shared
from sidecar.dataplane.tenancy import TopicDirectory
from sidecar.dataplane.versions import Versions
from sidecar.failures import FaultFailures
from sidecar.keeper import Keeper
from sidecar.log import render_event
from sidecar.logins import logins
from sidecar.metrics import Metrics
from sidecar.model.place import Place
from sidecar.model.snapshot import Snapshot
from sidecar.net.discovery import Cluster
from sidecar.net.gateway import Gateway
from sidecar.net.soon import Soon
from sidecar.observer import Observer
from sidecar.private_socket import PrivateSocket
from sidecar.recorder import Recorder
from sidecar.refusals import Refusals
from sidecar.sink import LineSink
from sidecar.tls.contexts import Following

if TYPE_CHECKING:
    from sidecar.workers.fleet import Fleet

_COUNT_SECONDS: Final = 1.0
"""How long counting the clients of a virtual cluster may take in this process."""
_DRAIN_STEP: Final = 0.02
_TOPIC_SECONDS: Final = 3.0
"""How long the cluster may take to say whether it has a topic."""


class Sidecar:
    """One sidecar, from settings to listening ports.

    Args:
        settings: what it was told.
        sink: where its log goes; injections are offered to it.
    """

    def __init__(self, settings: Settings, sink: LineSink) -> None:
        self._log: Any = structlog.get_logger()
        self._settings = settings
        self._sink = sink
        self._place = Place(0, settings.workers)
        self._metrics = Metrics()
        self._journal = Journal()
        self._recorder = Recorder(sink, self._journal.publish, self._metrics)
        self._failures = FaultFailures(self._log, self._metrics)
        publish = self._journal.observations.publish
        self._observer = Observer(sink.put, publish, self._metrics, Soon())
        secret_key = security.signing_key(settings, self._log)
        tokens = TokenAuthority(secret_key)
        self._crossing = Crossing()
        self._keeper = Keeper(settings, self._log, self._journal.forget, self._store_health)
        self._state = ControlState(self._publish, self._keeper.store())
        self._virtual_clusters = VirtualClusterService(self._state, self, settings.virtual_clusters)
        self._admission = Admission(self._virtual_clusters.claim, self._log)
        self._book = AddressBook(
            settings.advertised_host,
            settings.port_start,
            settings.port_count,
            settings.min_broker_id,
        )
        self._security = security.both_ends(settings)
        transport = self._security.transport(self._log)
        self._shared = Shared(
            pipeline=Pipeline(Snapshot(), place=self._place),
            versions=Versions([], secured=settings.authenticate),
            advertise=self._book.advertised,
            record=self._recorder.record,
            delegated=settings.delegated,
            tenants=settings.authenticate or settings.delegated or self._security.certificates,
            directory=TopicDirectory(secrets.token_bytes(32)),
            recoveries=Recoveries(self._observer.note),
            oracle=SequenceOracle(self._observer.note) if settings.sequence_oracle else None,
        )
        if settings.authenticate:
            admit, locate = self._admission.admit, self._shared.located
            self._shared.logins = logins(secret_key, settings.logins, admit, locate, self._log)
        self._cluster = Cluster(settings.bootstrap_servers, self._log, transport.dial)
        self._gateway = Gateway(
            cluster=self._cluster,
            book=self._book,
            shared=self._shared,
            bind_host=settings.bind_host,
            max_connections=self._place.share(settings.max_connections),
            frame_limit=settings.max_frame_bytes,
            metrics=self._metrics,
            log=self._log,
            place=self._place,
            transport=transport,
        )
        self._interceptors = InterceptorService(
            self._state,
            self._journal,
            process_seed=settings.seed,
            spent=self._spent,
        )
        self._fleet = self._workers(secret_key) if settings.workers > 1 else None
        self._private = PrivateSocket()
        self._refusals = Refusals(self._audit, self._metrics.refused)
        self._control = self._control_server(tokens)
        self._bridge: BridgeServer | None = None
        self._add_gauges(sink)

    def _control_server(self, tokens: TokenAuthority) -> ControlServer:
        settings = self._settings
        state, claim = self._state, self._virtual_clusters.claim
        services = Services(
            interceptors=self._interceptors,
            leases=LeaseService(state),
            state=state,
            virtual_clusters=self._virtual_clusters,
            user_mappings=UserMappingService(state, claim),
            alias_topics=AliasTopicService(state, claim, self),
            tokens=tokens,
            journal=self._journal,
            status=self,
            metrics=self._metrics,
            build=ports.BuildInfo(version=__version__),
            start_time=time.time(),
            audit=self._audit,
            refused=self._refusals.note,
        )
        return ControlServer(
            services,
            security.admins(settings),
            settings.grpc_host,
            settings.grpc_port,
            metrics_open=not settings.secured_metrics,
            tls=security.control_tls(settings, self._log),
            private=self._private.path,
        )

    def _store_health(self, reachable: bool) -> None:
        self._control.set_store_reachable(reachable)

    def _audit(self, event: str, **fields: Any) -> None:
        """A line whatever the level of the log, as those of injections are."""
        timestamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self._sink.put(render_event(event, timestamp, fields))

    def _workers(self, secret_key: bytes) -> "Fleet":
        # Here, since most sidecars have one worker: half a megabyte.
        from sidecar.workers.fleet import Fleet
        from sidecar.workers.ledger import Ledger
        from sidecar.workers.messages import ClusterView, WorkerSettings
        from sidecar.workers.sources import Sources

        settings = self._settings
        return Fleet(
            settings.workers,
            WorkerSettings(
                advertised_host=settings.advertised_host,
                bind_host=settings.bind_host,
                secret_key=secret_key if settings.authenticate else None,
                logins=settings.logins,
                max_connections=settings.max_connections,
                frame_limit=settings.max_frame_bytes,
                log_level=settings.log_level,
                sequence_oracle=settings.sequence_oracle,
                security=self._security,
            ),
            Sources(
                cluster=lambda: ClusterView(
                    tuple(self._book.ports()),
                    self._gateway.listening,
                    tuple(self._cluster.versions()),
                    self._cluster.features,
                ),
                snapshot=lambda: self._shared.pipeline.snapshot,
                report=Ledger(self._journal, self._metrics).enter,
                seen=self._book.see,
                unreachable=self._gateway.look_again,
                purse=lambda uid: self._shared.pipeline.purse(uid),
                marks=lambda: self._shared.pipeline.marks(),
                hear=lambda mark: self._shared.pipeline.hear(mark),
                refusal=self._admission.refusal,
            ),
            self._log,
        )

    def _add_gauges(self, sink: LineSink) -> None:
        gauge, fleet = self._metrics.gauge, self._fleet
        gauge("client_connections_open", "Client connections now", self._connections)
        gauge(
            "log_lines_dropped",
            "Log lines lost to a stuck reader",
            lambda: sink.dropped + (fleet.dropped if fleet else 0),
        )
        gauge("injection_paused", "1 while the log cannot take events", self._paused)
        gauge("halted", "1 while nothing is injected, see Halt", self._halted)
        gauge(
            "interceptors_expired",
            "Interceptors whose time is over",
            lambda: self._interceptors.expired,
        )
        if fleet is not None:
            gauge("workers", "Processes that serve clients", lambda: 1 + fleet.up)

    def _connections(self) -> int:
        return self._gateway.connections + (self._fleet.connections if self._fleet else 0)

    def _halted(self) -> bool:
        return self._state.snapshot.halted

    def _spent(self, uid: str) -> int:
        """Injections of a limited number that were made, or are with a worker."""
        purse = self._shared.pipeline.purse(uid)
        return purse.used if purse is not None else 0

    def _paused(self) -> bool:
        return self._recorder.paused or (self._fleet is not None and self._fleet.paused)

    def _publish(self, snapshot: Snapshot) -> None:
        """The swap: one reference, read once by every request. Called on any thread."""
        self._metrics.follow(snapshot)
        self._shared.pipeline = Pipeline(
            snapshot,
            self._shared.pipeline,
            self._place,
            spread=self._spread,
            failed=self._failures.note,
            passed_over=self._failures.passed_over,
        )
        if self._fleet is not None:
            self._fleet.publish(snapshot)

    def _spread(self, mark: Mark) -> None:
        if self._fleet is not None:
            self._fleet.mark(mark)

    def status(self) -> ports.Status:
        """The data side at this moment. Called on any thread."""
        brokers = tuple(
            ports.Broker(
                node_id=broker.node_id, host=broker.host, port=broker.port, client_port=client_port
            )
            for broker, client_port in self._book.ports()
        )
        return ports.Status(
            brokers=brokers,
            connections=self._connections(),
            injection_paused=self._paused(),
            store=self._keeper.status(),
        )

    def clients(self, virtual_cluster: str) -> int | None:
        """The connections of a virtual cluster's clients, as `ports.ClientSource` has it."""
        there = self._fleet.forget(virtual_cluster) if self._fleet else 0
        try:
            here = self._crossing.ask(
                lambda: self._gateway.clients(virtual_cluster), _COUNT_SECONDS
            )
        except TimeoutError:
            return None
        return None if there is None else here + there

    def exists(self, physical_name: str) -> bool | None:
        """Whether the cluster has a topic, as `ports.TopicSource` has it."""
        try:
            return self._crossing.ask(
                lambda: self._cluster.has_topic(physical_name), _TOPIC_SECONDS
            )
        except TimeoutError:
            return None

    def start(self) -> None:
        """Start everything; returns when clients can connect.

        Raises:
            OSError: a port cannot be listened on, or a worker does not start.
            StoreUnusable: the store cannot be used.
            PortsExhausted: there are more brokers than client ports.
        """
        started = time.monotonic()
        settings = self._settings
        self._control.start(serving=False)
        tls = settings.http_tls
        context = None if tls is None else Following(tls, self._log, tls.context)
        self._bridge = BridgeServer(
            f"unix:{self._private.path}",
            settings.bind_host,
            settings.http_port,
            context,
            refused=partial(self._refusals.note, "rest"),
        )
        self._bridge.start()
        self._log.info(
            "control_listening", grpc_port=self._control.port, http_port=self._bridge.port
        )
        if self._fleet is not None:
            self._fleet.launch()
        self._keeper.start(self._state, self._virtual_clusters)
        self._gateway.start()
        if self._fleet is not None:
            self._gateway.on_change = self._fleet.announce
            self._fleet.open()
        self._control.set_serving(True)
        self._log.info(
            "ready",
            version=__version__,
            brokers=len(self._book.ports()),
            seconds=round(time.monotonic() - started, 3),
        )

    def _drain(self, seconds: float) -> None:
        """Have clients finish what they have begun, in every process."""
        began = time.monotonic()
        clients = self._connections()
        if not clients:
            return
        self._log.info("draining", connections=clients, seconds=seconds)
        if self._fleet is not None:
            self._fleet.drain(seconds)
        self._gateway.drain(seconds)
        while self._connections() and time.monotonic() < began + seconds:
            gevent.sleep(_DRAIN_STEP)
        self._log.info(
            "drained", left=self._connections(), seconds=round(time.monotonic() - began, 3)
        )

    def stop(self) -> None:
        """Stop in the order that leaves nobody asking somebody who has gone."""
        self._control.set_serving(False)
        self._drain(self._settings.shutdown_timeout_ms / 1000)
        if self._fleet is not None:
            self._fleet.stop()
        self._gateway.stop()
        self._observer.flush()
        if self._bridge is not None:
            self._bridge.stop()
        self._control.stop(grace=1.0)
        self._refusals.flush()
        self._keeper.stop()
        self._private.close()
        self._log.info("stopped")
