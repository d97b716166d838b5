"""Commands against real control servers: what they do, show, and say when they are refused."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from sidecar.cli import main
from sidecar.cli.ctl.faults import KINDS
from sidecar.cli.ctl.targets import CREDENTIALS_VARIABLE, TARGETS_VARIABLE
from tests.sidecar.api.harness import Control, injection, running
from tests.support.gateways import free_ports

Output = tuple[int, str, str]
Ctl = Callable[..., Output]


@pytest.fixture(scope="module")
def server() -> Iterator[Control]:
    """A control server, shared: each test has names of its own."""
    with running() as control:
        yield control


@pytest.fixture
def here(server: Control) -> str:
    """Its address."""
    return f"localhost:{server.server.port}"


@pytest.fixture
def gone() -> str:
    """An address nobody listens on."""
    return f"127.0.0.1:{free_ports(1)}"


@pytest.fixture
def ctl(
    here: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Ctl]:
    """Runs `ctl` for that server by default: exit code, stdout, stderr."""
    monkeypatch.setenv(TARGETS_VARIABLE, here)
    monkeypatch.delenv(CREDENTIALS_VARIABLE, raising=False)

    def run(*arguments: str) -> Output:
        try:
            code = main(["ctl", *arguments])
        except SystemExit as end:
            code = int(end.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    yield run
    run("interceptors", "delete", "mine", "--if-exists")


def document(output: Output) -> list[dict[str, Any]]:
    """What every target did, of -o json."""
    found: list[dict[str, Any]] = json.loads(output[1])["targets"]
    return found


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.command)
def test_the_example_of_every_fault_works(ctl: Ctl, kind: Any) -> None:
    """The words come from `protos/`; whether the sidecar takes them it says itself."""
    code, out, err = ctl("interceptors", "create", "mine", *kind.example().split())

    assert (code, err) == (0, "")
    assert out.splitlines()[1].split()[:4] == ["mine", "global", "100", kind.command]


def test_an_interceptor_comes_and_goes(ctl: Ctl, server: Control) -> None:
    words = "leader-election --rate-in-percent 12.5 --seed 7 --vcluster teamA --username sa"
    more = "--priority 3 --annotation why=drill --annotation a=b=c -o json"
    [made] = document(ctl("interceptors", "create", "one", *words.split(), *more.split()))
    who = ("--vcluster", "teamA", "--username", "sa")

    item = made["result"]["interceptor"]
    assert made["ok"] is True
    assert (item["fault"], item["leader_election"]["rate_in_percent"]) == ("leader_election", 12.5)
    assert item["scope"] == {"virtual_cluster": "teamA", "group": "", "username": "sa"}
    assert (item["priority"], item["annotations"]) == (3, {"why": "drill", "a": "b=c"})
    [got] = document(ctl("interceptors", "get", "one", *who, "-o", "json"))
    assert got["result"]["interceptor"] == item
    [one] = ctl("interceptors", "list", *who)[1].splitlines()[1:]
    assert "vcluster teamA user sa" in one
    assert "rate_in_percent=12.5" in one
    assert ctl("interceptors", "list", "--global")[:2] == (0, "")
    [resolved] = ctl("interceptors", "resolve", *who)[1].splitlines()[1:]
    assert resolved == one
    assert ctl("interceptors", "delete", "one", *who)[0] == 0
    assert server.interceptors.list() == ()


def test_the_same_again_is_fine_and_another_needs_replace(ctl: Ctl) -> None:
    create = ("interceptors", "create", "mine", "leader-election", "--seed", "1")

    assert ctl(*create, "--rate-in-percent", "1")[0] == 0
    assert ctl(*create, "--rate-in-percent", "1")[0] == 0
    code, out, err = ctl(*create, "--rate-in-percent", "2")
    assert (code, out) == (1, "")
    assert "exists in the global scope with other content; --replace" in err
    assert ctl(*create, "--rate-in-percent", "2", "--replace")[0] == 0


def test_deleting_what_is_not_there_fails_unless_told_otherwise(ctl: Ctl) -> None:
    code, _, err = ctl("interceptors", "delete", "nobody")

    assert code == 1
    assert "there is no interceptor 'nobody' in the global scope; `interceptors list`" in err
    assert ctl("interceptors", "delete", "nobody", "--if-exists")[0] == 0


def test_an_election_now_ends_by_itself(ctl: Ctl) -> None:
    code, out, _ = ctl("elect", "orders|bills", "--partition", "1", "--for", "300ms", "-o", "json")
    assert code == 0
    made = json.loads(out)["targets"][0]["result"]["interceptor"]
    assert made["leaderless"] == {
        "topic": "orders|bills",
        "partitions": [1],
        "seed": None,
        "every_ms": None,
        "window_ms": None,
        "hint": None,
    }
    assert (made["fault"], made["state"]) == ("leaderless", "ACTIVE")

    threading.Event().wait(0.4)

    code, out, _ = ctl("interceptors", "list", "-o", "json")
    listed = json.loads(out)["targets"][0]["result"]["interceptors"]
    assert [each["state"] for each in listed if each["name"] == made["name"]] == ["EXPIRED"]
    ctl("interceptors", "delete", made["name"])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            "slow-broker --rate-in-percent 1 --min-latency-ms 9 --max-latency-ms 5",
            "--max-latency-ms is 5, allowed are 9 to 3600000",
        ),
        (
            "broken-broker --rate-in-percent 1 --error-map FETCH=NONE",
            "--error-map['FETCH'] is 'NONE', allowed are OFFSET_OUT_OF_RANGE",
        ),
        ("leader-election --rate-in-percent 1 --group g", "--group needs --vcluster beside it"),
        ("leader-election --rate-in-percent 1 --topic (", "--select-topic is '('"),
        ("leader-election --rate-in-percent 1 --ttl 400d", "--ttl is"),
        ("leader-election --rate-in-percent 1 --lease none", "lease is 'none', which is not there"),
    ],
)
def test_refusals_name_what_was_typed(ctl: Ctl, words: str, told: str) -> None:
    code, out, err = ctl("interceptors", "create", "mine", *words.split())

    assert (code, out) == (1, "")
    assert told in err
    assert "interceptor." not in err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("elect orders[", "TOPIC is 'orders[', allowed are RE2 regular expressions"),
        ("elect orders --for 0s", "--for is 0 s, allowed are above 0 s and up to"),
        ("elect orders --for 367d", "--for is 31708800 s, allowed are above 0 s and up to"),
        ("tokens create a/b", "USERNAME is 'a/b', allowed are printable characters"),
        ("interceptors resolve --group a/b", "--group is 'a/b', allowed are"),
    ],
)
def test_a_refusal_has_the_words_of_its_command(ctl: Ctl, words: str, told: str) -> None:
    code, out, err = ctl(*words.split())

    assert (code, out) == (1, "")
    assert told in err


@pytest.mark.parametrize(
    "words",
    [
        ("interceptors", "get", "\udcff"),
        ("tokens", "create", "\udcff"),
        ("interceptors", "resolve", "--group", "a", "--group", "\udcff"),
        ("interceptors", "create", "x", "leaderless", "--topic", "a", "--annotation", "a=\udcff"),
    ],
)
def test_bytes_that_are_no_text_are_wrong_usage(ctl: Ctl, words: tuple[str, ...]) -> None:
    code, out, err = ctl(*words)

    assert (code, out) == (2, "")
    assert err == "chaos-sidecar: '\\udcff' cannot be sent: it has bytes that are not UTF-8\n"


@pytest.mark.parametrize("command", ["list", "reset"])
def test_the_global_scope_is_no_other_one(ctl: Ctl, command: str) -> None:
    code, out, err = ctl("interceptors", command, "--global", "--vcluster", "teamA")

    assert (code, out) == (2, "")
    assert "--global excludes --vcluster, --group and --username" in err


def test_a_fault_can_be_kept_within_bounds(ctl: Ctl, server: Control) -> None:
    assert ctl("leases", "create", "drill", "--duration", "30s")[0] == 0
    bounds = (
        "--topic orders.* --topic bills --partition 0 --client-id app-1 --principal sa"
        " --consumer-group readers --broker 2 --api produce --acks all --acks -1"
        " --max-injections 5 --max-per-second 0.5 --ttl 1h30m --lease drill"
    )
    create = ("interceptors", "create", "mine", "leader-election", "--rate-in-percent", "1")
    [made] = document(ctl(*create, *bounds.split(), "-o", "json"))

    item = made["result"]["interceptor"]
    assert item["selector"] == {
        "topics": ["orders.*", "bills"],
        "partitions": [0],
        "client_ids": ["app-1"],
        "principals": ["sa"],
        "groups": ["readers"],
        "brokers": [2],
        "apis": ["PRODUCE"],
        "acks": [-1, -1],
    }
    assert item["limits"] == {"max_injections": 5, "max_per_second": 0.5}
    assert (item["lease"], item["state"], item["ttl"]) == ("drill", "ACTIVE", None)
    assert item["expire_time"] is not None
    line = ctl("interceptors", "list")[1].splitlines()[1]
    assert "topics=orders.*,bills partitions=0" in line
    assert "max_injections=5" in line
    assert "with lease drill" in line
    [lease] = ctl("leases", "list")[1].splitlines()[1:]
    assert lease.split()[:2] + lease.split()[3:] == ["drill", "30s", "1"]
    assert ctl("leases", "renew", "drill", "--duration", "1m")[1].splitlines()[1].split()[1] == "1m"
    assert ctl("leases", "release", "drill")[0] == 0
    code, _, err = ctl("leases", "release", "drill")
    assert code == 1
    assert "`leases list`" in err
    assert ctl("leases", "release", "drill", "--if-exists")[0] == 0
    [ended] = document(ctl("interceptors", "list", "-o", "json"))
    assert [one["state"] for one in ended["result"]["interceptors"]] == ["EXPIRED"]


def test_a_fault_with_topics_of_its_own_leaves_the_longer_name_to_the_selector(ctl: Ctl) -> None:
    words = "slow-clients --rate-in-percent 1 --min-latency-ms 1 --max-latency-ms 2"
    topics = "--topic mine --select-topic selected -o json"
    [made] = document(ctl("interceptors", "create", "mine", *words.split(), *topics.split()))

    item = made["result"]["interceptor"]
    assert item["slow_clients"]["topic"] == "mine"
    assert item["selector"]["topics"] == ["selected"]


def test_pause_resume_and_reset(ctl: Ctl) -> None:
    create = ("interceptors", "create", "mine", "leader-election", "--rate-in-percent", "1")
    assert ctl(*create)[0] == 0
    assert "PAUSED" in ctl("interceptors", "pause", "mine")[1]
    assert "ACTIVE" in ctl("interceptors", "resume", "mine")[1]
    assert ctl(*create, "--vcluster", "teamR")[0] == 0

    for words in ((), ("--all", "--global"), ("--all", "--vcluster", "teamR")):
        code, out, err = ctl("interceptors", "reset", *words)
        assert (code, out) == (2, "")
        assert "reset needs one of --vcluster, --global and --all" in err
    [told] = document(ctl("interceptors", "reset", "--vcluster", "teamR", "-o", "json"))
    assert told["result"] == {"deleted": 1}
    assert ctl("interceptors", "reset", "--all")[1].splitlines() == ["DELETED", "1"]


def test_halt_is_to_be_seen_until_resume(ctl: Ctl, here: str) -> None:
    assert ctl("halt")[0] == 0
    try:
        assert " halted " in ctl("status")[1]
    finally:
        assert ctl("resume")[2] == f"chaos-sidecar: {here}: resumed: interceptors work again\n"
    assert " ready " in ctl("status")[1]


def test_one_that_is_down_is_named_and_hides_nothing(ctl: Ctl, here: str, gone: str) -> None:
    code, out, err = ctl("status", "--target", gone, "--target", here)

    assert code == 1
    status = out.split("\n\n")[0].splitlines()
    assert [line.split()[0] for line in status] == ["TARGET", here]
    [line] = err.splitlines()
    assert line.startswith(f"chaos-sidecar: {gone}: cannot be reached (Connection refused)")
    assert "GATEWAY_GRPC_PORT" in line


def test_a_wrong_port_is_told_from_one_that_is_closed(ctl: Ctl) -> None:
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        code, _, err = ctl("status", "--target", f"localhost:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()

    assert code == 1
    assert "it does not speak gRPC" in err or "it speaks HTTP/1" in err
    assert "Failed parsing" not in err


def test_a_host_that_is_none_is_told(ctl: Ctl) -> None:
    code, _, err = ctl("status", "--target", "no-such-host.invalid:50051")

    assert code == 1
    assert "(there is no such host)" in err


def test_json_tells_of_every_target_in_the_order_they_were_named(
    ctl: Ctl, here: str, gone: str
) -> None:
    output = ctl("-o", "json", "--target", f"{gone},{here}", "vclusters", "--target", here)

    first, second = document(output)
    assert output[0] == 1
    assert (first["target"], first["ok"], first["result"]) == (gone, False, None)
    assert first["error"]["code"] == "UNAVAILABLE"
    assert (second["target"], second["ok"], second["error"]) == (here, True, None)
    assert list(first) == list(second) == ["target", "ok", "result", "error"]


def test_targets_that_are_silent_are_waited_for_side_by_side(ctl: Ctl, here: str) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        name = f"127.0.0.1:{silent.getsockname()[1]}"
        others = [name, name.replace("127.0.0.1", "localhost")]
        begin = time.monotonic()
        code, out, err = ctl("status", "--timeout", "1", "--target", ",".join([*others, here]))
        took = time.monotonic() - begin

    assert code == 1
    assert here in out
    assert err.count("did not answer within 1 s (--timeout)") == 2
    assert took < 1.9


def test_a_virtual_cluster_and_its_token(ctl: Ctl, server: Control) -> None:
    [made] = document(ctl("tokens", "create", "sa", "--vcluster", "teamT", "-o", "json"))

    found = server.tokens.verify(made["result"]["token"], 0)
    assert (found.virtual_cluster, found.username) == ("teamT", "sa")
    [line] = ctl("vclusters")[1].splitlines()[1:]
    assert line.split() == ["teamT", "no", "0", "0", "0", "0", "1"]


def test_injections_are_the_latest(ctl: Ctl, server: Control) -> None:
    assert "no injections" in ctl("injections", "--interceptor", "nobody")[2]
    for draw in range(12):  # more than the server remembers
        server.journal.publish(injection(draw=draw, topic="a\x1b[2Jb\n", client_id=None))

    lines = ctl("injections", "--limit", "2")[1].splitlines()
    [told] = document(ctl("injections", "--limit", "100", "-o", "json"))

    assert [line.split()[-1] for line in lines] == ["DRAW", "10", "11"]
    assert "a\\x1b[2Jb\\n-3" in lines[1]
    items = told["result"]["injections"]
    assert [item["draw"] for item in items] == list(range(4, 12))
    assert items[0]["seed"] == 2**64 - 1
    assert items[0]["client_id"] is None


def test_credentials_come_from_the_environment_and_are_not_told(
    ctl: Ctl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CREDENTIALS_VARIABLE, "viewer:looks")
    assert ctl("status")[0] == 0
    code, _, err = ctl("interceptors", "create", "m", "leader-election", "--rate-in-percent", "1")
    assert code == 1
    assert "permission" in err

    for wrong, expected in (("admin:hunter2", 1), ("hunter2", 2)):
        monkeypatch.setenv(CREDENTIALS_VARIABLE, wrong)
        code, out, err = ctl("status")
        assert (code, out) == (expected, "")
        assert CREDENTIALS_VARIABLE in err
        assert "hunter2" not in err


def test_a_bad_target_in_the_environment_is_wrong_usage(
    ctl: Ctl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TARGETS_VARIABLE, "localhost:1,nonsense")

    assert ctl("status") == (
        2,
        "",
        f"chaos-sidecar: {TARGETS_VARIABLE}: 'nonsense' is not HOST:PORT, such as"
        " localhost:50051\n",
    )
