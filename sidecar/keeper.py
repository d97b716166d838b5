"""Keeps the control side's state in step with its store, on a thread of its own.

The store and its client library are imported only where the settings ask for one.
"""

import hashlib
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import gevent

from sidecar.config import Settings
from sidecar.config.process_settings import FILE, KAFKA
from sidecar.control.ports import Store, StoreStatus
from sidecar.control.state import ControlState
from sidecar.control.virtual_clusters import VirtualClusterService
from sidecar.model.errors import DomainError
from sidecar.model.snapshot import Snapshot

_TURN_SECONDS: Final = 0.2
"""How long a virtual cluster that came by use may wait to be stored."""
_PATIENCE_SECONDS: Final = 5.0
"""After an attempt that failed."""
_LOADING_SECONDS: Final = 0.02


class StoreUnusable(Exception):
    """The store can never be used as it is; ``str()`` says why and what to do."""


class Keeper:
    """The store that the settings ask for.

    Args:
        settings: what the sidecar was told.
        log: bound logger.
        forget: told the uid of each interceptor that another sidecar has ended.
        on_health: told whether the store can be reached, when that changes; not with a store in
            memory.
    """

    def __init__(
        self,
        settings: Settings,
        log: Any,
        forget: Callable[[str], None],
        on_health: Callable[[bool], None],
    ) -> None:
        self._settings = settings
        self._log = log
        self._forget = forget
        self._on_health = on_health
        self._healthy: bool | None = None
        self._awake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)
        self._kafka: Any = None
        self._file: Any = None
        self._state: ControlState | None = None
        self._virtual_clusters: VirtualClusterService | None = None
        self._key_id = _key_id(settings.secret_key)
        self._key_told = False

    def store(self) -> Store | None:
        """Make the store; None: what there is ends with the process.

        Raises:
            StoreUnusable: it cannot be used.
        """
        settings = self._settings
        if settings.storage_type == FILE:
            from sidecar.state.file import FileStore, StateFileError

            try:
                self._file = FileStore(Path(settings.storage_file), time.time, self._unreadable)
            except StateFileError as error:
                raise StoreUnusable(f"GATEWAY_STORAGE_FILE: {error}") from None
            return self._file  # type: ignore[no-any-return]  # Any, as it is imported late
        if settings.storage_type == KAFKA:
            self._kafka = self._kafka_store()
            return self._kafka  # type: ignore[no-any-return]  # as above
        return None

    def _kafka_store(self) -> Any:
        try:
            from sidecar.state.kafka import KafkaStore
            from sidecar.state.kafka.settings import client_settings
        except ImportError:
            raise StoreUnusable(
                "GATEWAY_STORAGE_TYPE=KAFKA needs confluent-kafka, which is not installed:"
                " pip install 'kafka-chaos-sidecar[kafka-store]'"
            ) from None

        settings = self._settings
        return KafkaStore(
            client_settings(
                settings.bootstrap_servers,
                settings.cluster_tls,
                settings.credentials,
                settings.token_source,
                self._no_token,
            ),
            f"_kafka_chaos_{settings.cluster_id}_state",
            settings.storage_replication_factor,
            time.time,
            self._unreadable,
            self._awake.set,
            self._log,
        )

    def _no_token(self, cause: str) -> None:
        self._log.warning("store_token_not_fetched", cause=cause)

    def _unreadable(self, key: str, cause: str) -> None:
        self._log.warning("stored_record_unreadable", key=key, cause=cause)

    def status(self) -> StoreStatus:
        """Where the state is, and whether that can be reached."""
        trouble = self._kafka.trouble if self._kafka is not None else ""
        return StoreStatus(type=self._settings.storage_type, trouble=trouble)

    def start(self, state: ControlState, virtual_clusters: VirtualClusterService) -> None:
        """Read what is stored, then keep in step with it. On a greenlet; nothing without a store.

        Raises:
            StoreUnusable: it cannot be used.
            DomainError: what is stored cannot be taken over.
        """
        self._state, self._virtual_clusters = state, virtual_clusters
        if self._kafka is None and self._file is None:
            return
        if self._kafka is not None:
            self._kafka.start()
            while not self._kafka.loaded:
                if self._kafka.failure is not None:
                    raise StoreUnusable(str(self._kafka.failure))
                gevent.sleep(_LOADING_SECONDS)
        state.on_news = self._on_news
        gevent.get_hub().threadpool.apply(state.refresh)
        self._log.info("state_loaded", storage=self._settings.storage_type, **_counted(state))
        self._thread.start()

    def stop(self) -> None:
        """End the thread and the store."""
        self._stopping.set()
        self._awake.set()
        if self._thread.is_alive():
            self._thread.join(_PATIENCE_SECONDS)
        if self._kafka is not None:
            self._kafka.stop()
        if self._file is not None:
            self._file.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._tell_health()
            try:
                self._keep()
                pause = _TURN_SECONDS
            except DomainError as error:
                self._log.warning("state_not_stored", cause=str(error))
                pause = _PATIENCE_SECONDS
            except Exception as error:  # noqa: BLE001 - a bug must not end what keeps sidecars alike
                self._log.error("state_not_kept", error=repr(error))
                pause = _PATIENCE_SECONDS
            if self._awake.wait(pause):
                self._awake.clear()

    def _keep(self) -> None:
        state, virtual_clusters = self._state, self._virtual_clusters
        assert state is not None
        assert virtual_clusters is not None
        state.refresh()
        if self.status().trouble:
            return
        virtual_clusters.settle()
        if self._key_id and state.snapshot.signing_key_id != self._key_id and not self._key_told:
            state.in_turn(lambda: state.commit(signing_key_id=self._key_id))
            self._key_told = True

    def _tell_health(self) -> None:
        healthy = not self.status().trouble
        if healthy != self._healthy:
            self._healthy = healthy
            self._on_health(healthy)

    def _on_news(self, before: Snapshot, after: Snapshot) -> None:
        """What follows from what other sidecars did."""
        assert self._virtual_clusters is not None
        for name in self._virtual_clusters.follow(after.virtual_clusters):
            self._log.error(
                "virtual_cluster_gave_way",
                virtual_cluster=name,
                detail="another sidecar has stored one with which it cannot stand; see ADR 19",
            )
        stay = {item.uid for item in after.interceptors}
        for item in before.interceptors:
            if item.uid not in stay:
                self._forget(item.uid)
        theirs = after.signing_key_id
        if self._key_id and theirs not in ("", self._key_id, before.signing_key_id):
            self._log.warning(
                "signing_keys_differ",
                own=self._key_id,
                other=theirs,
                detail="tokens made by one sidecar are refused by the other:"
                " give all of them the same GATEWAY_USER_POOL_SECRET_KEY",
            )


def _key_id(key: bytes | None) -> str:
    """What tells keys apart without telling them; empty for a random one."""
    if key is None:
        return ""
    return hashlib.blake2b(
        b"kafka-chaos-sidecar signing key", key=key[:64], digest_size=8
    ).hexdigest()


def _counted(state: ControlState) -> dict[str, int]:
    snapshot = state.snapshot
    return {
        "interceptors": len(snapshot.interceptors),
        "user_mappings": len(snapshot.user_mappings),
        "alias_topics": len(snapshot.alias_topics),
        "virtual_clusters": len(snapshot.virtual_clusters),
    }
