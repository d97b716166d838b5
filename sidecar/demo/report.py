"""The story of the demonstration from start to verdict."""

import json
from argparse import Namespace
from pathlib import Path

from sidecar.demo import steps, workload
from sidecar.demo.processes import Environment, Gateway


def run(directory: Path, arguments: Namespace) -> int:
    """Go through the demonstration; returns the exit code.

    Raises:
        DemoError: a step did not give what it should.
    """
    steps.heading("Starting three brokers and two sidecars")
    with Environment(directory, arguments.seed) as environment:
        for gateway in environment.gateways:
            print(f"{gateway.name}: clients at {gateway.bootstrap}, REST at {gateway.admin_url}")
        gateway = environment.gateways[0]
        token = steps.create_token(gateway)
        settings = steps.client_settings(gateway, token)
        steps.create_topic(gateway, settings)
        steps.add_interceptor(gateway, arguments.rate)
        steps.list_interceptors(gateway)
        steps.heading(f"Producing {arguments.records} records, {arguments.rate:g} % refused")
        outcome = workload.produce(
            settings,
            steps.TOPIC,
            arguments.records,
            arguments.throughput,
            lambda: len(gateway.events("fault_injected")),
        )
        _show_events(gateway)
        counted = steps.injections_counted(gateway)
        steps.remove_interceptor(gateway)
        physical = steps.VIRTUAL_CLUSTER + steps.TOPIC
        found = workload.read_back(environment.bootstrap, physical)
        injected = len(gateway.events("fault_injected"))
    lost, duplicated = workload.lost_and_duplicated(outcome, found)
    steps.heading(f"What became of the records (read from {physical}, past the sidecar)")
    rows = [
        ("sent", outcome.sent),
        ("acknowledged", len(outcome.acknowledged)),
        ("injected", injected),
        ("retried", outcome.retried),
        ("lost", lost),
        ("duplicated", duplicated),
    ]
    for name, value in rows:
        print(f"    {name:<14}{value:>6}")
    return _verdict(injected, counted, lost, duplicated, workload.in_order(found))


def _show_events(gateway: Gateway) -> None:
    events = gateway.events("fault_injected")
    steps.heading(f"The sidecar's log: {len(events)} injected errors")
    shown = ("timestamp", "topic", "partition", "error", "correlation_id", "base_sequence", "draw")
    for event in events:
        print(json.dumps({key: event[key] for key in shown}))


def _verdict(injected: int, counted: int, lost: int, duplicated: int, in_order: bool) -> int:
    problems = []
    if not injected:
        problems.append("nothing was injected")
    if counted != injected:
        problems.append(f"/metrics counts {counted} injections, the log {injected}")
    if lost or duplicated:
        problems.append("acknowledged records were lost or duplicated")
    if not in_order:
        problems.append("the records are out of order")
    print("\n" + ("FAILED: " + "; ".join(problems) if problems else "The application survived."))
    return 1 if problems else 0
