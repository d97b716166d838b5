"""The single list of settings: the file's keys, ``run --help`` and the README follow it."""

from typing import Final

from sidecar.config.bearer_settings import BEARER
from sidecar.config.client_settings import CLIENTS
from sidecar.config.cluster_settings import CLUSTER
from sidecar.config.control_settings import CONTROL
from sidecar.config.process_settings import PROCESS
from sidecar.config.setting import Setting

SETTINGS: Final[tuple[Setting, ...]] = (*CLUSTER, *BEARER, *CLIENTS, *CONTROL, *PROCESS)
