"""``chaos-sidecar run``: one sidecar."""

import argparse
import gc
import os
import sys
from typing import Any, Final

from sidecar import lean
from sidecar.cli.arguments import reason
from sidecar.config import SETTINGS, ConfigError, Setting, Settings, load

_FLUSH_SECONDS: Final = 0.2
_SWITCH_SECONDS: Final = 0.0005
"""How long a control thread may hold the interpreter lock while the hub wants it: ADR 1."""

_DESCRIPTION: Final = """\
Start one sidecar in front of a Kafka cluster. It is told what to do by environment variables with
Conduktor Gateway's names, or by a TOML file; the environment wins.

Its log goes to stdout, one JSON object a line; every injected error is an event `fault_injected`.
It ends on Ctrl-C or SIGTERM.
"""

_EXAMPLE = """\
example:
  KAFKA_BOOTSTRAP_SERVERS=localhost:9092 GATEWAY_SECURITY_PROTOCOL=SASL_PLAINTEXT \\
    GATEWAY_USER_POOL_SECRET_KEY=$(openssl rand -base64 32) chaos-sidecar run
"""


def add_to(commands: Any) -> None:
    """Add the command to an argparse subparsers object."""
    parser = commands.add_parser(
        "run",
        help="start one sidecar from environment or --config",
        description=_DESCRIPTION,
        epilog=f"settings:\n{_settings_help()}\n\n{_EXAMPLE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", metavar="FILE", help="TOML file with settings")
    parser.add_argument(
        "--check",
        action="store_true",
        help="check the settings, say what is wrong with them, and end",
    )
    parser.set_defaults(function=_run)


def _settings_help() -> str:
    return "\n".join(f"  {_title(setting)}\n      {setting.help}" for setting in SETTINGS)


def _title(setting: Setting) -> str:
    return f"{' or '.join(setting.variables)}  (in the file: {setting.key})"


def _run(arguments: argparse.Namespace) -> int:
    try:
        settings, ignored = load(os.environ, arguments.config)
    except ConfigError as error:
        for problem in error.problems:
            print(f"chaos-sidecar: {problem}", file=sys.stderr)
        return 2
    from sidecar.logins import LoginsUnusable, import_jwt

    try:
        import_jwt(settings.logins)
    except LoginsUnusable as error:
        print(f"chaos-sidecar: {error}", file=sys.stderr)
        return 2
    if arguments.check:
        print("the settings are fine")
        return 0
    return _serve(settings, ignored)


def _serve(settings: Settings, ignored: list[str]) -> int:
    # Imported late, so that --help and bad settings are answered at once.
    lean.import_alone("structlog")
    import gevent
    import structlog

    from sidecar import log
    from sidecar.app import Sidecar
    from sidecar.cli.stopping import until_stopped
    from sidecar.dataplane.addresses import PortsExhausted
    from sidecar.keeper import StoreUnusable
    from sidecar.sink import LineSink
    from sidecar.tls.stores import StoreError

    def flush() -> None:
        """Write what a slow reader of the log left waiting, also when nothing new is logged."""
        while True:
            gevent.sleep(_FLUSH_SECONDS)
            sink.flush()

    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        sink = LineSink(shared=settings.workers > 1)
    except OSError as error:
        print(f"chaos-sidecar: stdout, which the log goes to: {error.strerror}", file=sys.stderr)
        return 1
    log.configure(sink, settings.log_level)
    logger = structlog.get_logger()
    for name in ignored:
        logger.warning("setting_ignored", name=name, detail="it has no meaning here")
    try:
        sidecar = Sidecar(settings, sink)
    except (StoreUnusable, StoreError) as error:
        print(f"chaos-sidecar: {error}", file=sys.stderr)
        return 1
    gc.collect()
    # What is there now stays; left out, full collections stop the hub for 3 ms instead of 17.
    gc.freeze()

    def start() -> None:
        try:
            sidecar.start()
        except (OSError, PortsExhausted, StoreUnusable) as error:
            logger.error("start_failed", cause=reason(error))  # before the parts say they stop
            raise

    flusher = gevent.spawn(flush)
    try:
        until_stopped(start, sidecar.stop)
    except (OSError, PortsExhausted, StoreUnusable) as error:
        print(f"chaos-sidecar: {reason(error)}", file=sys.stderr)
        return 1
    finally:
        flusher.kill()
        sink.flush()
    return 0
