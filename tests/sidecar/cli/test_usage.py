"""What the commands say of themselves, and how they refuse bad usage: exit code 2, one sentence."""

import re
from pathlib import Path

import pytest

from sidecar import __version__
from sidecar.cli import main
from sidecar.cli.arguments import host_port
from sidecar.config import SETTINGS


def output(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command line that ends at once."""
    try:
        code = main(arguments)
    except SystemExit as end:
        code = int(end.code or 0)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in SETTINGS:
        for variable in setting.variables:
            monkeypatch.delenv(variable, raising=False)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--help"], ["run", "cluster", "demo", "rest", "--version", "chaos-sidecar demo"]),
        (["run", "--help"], ["--config", "--check", "fault_injected", "SIGTERM", "example:"]),
        (["cluster", "--help"], ["--brokers", "--port", "--host", "no transactions", "19092"]),
        (["demo", "--help"], ["--records", "--throughput", "--rate", "--seed", "Exit code 0 only"]),
        (["--help"], ["ctl", "completion"]),
        (["ctl", "--help"], ["interceptors", "watch", "CHAOS_SIDECAR_TARGET", "Exit codes"]),
        (["completion", "--help"], ["bash", "zsh", "source <("]),
        (["rest", "--help"], ["--target", "--host", "--port", "8888"]),
    ],
)
def test_help_names_what_there_is(
    capsys: pytest.CaptureFixture[str], arguments: list[str], named: list[str]
) -> None:
    code, out, err = output(capsys, *arguments)

    assert (code, err) == (0, "")
    assert [words for words in named if words not in out] == []


def test_help_of_run_tells_every_setting_by_all_its_names(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, out, _ = output(capsys, "run", "--help")

    for setting in SETTINGS:
        title = f"  {' or '.join(setting.variables)}  (in the file: {setting.key})\n"
        assert title + f"      {setting.help}\n" in out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert output(capsys, "--version") == (0, f"{__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["nonsense"], "invalid choice: 'nonsense'"),
        (["run", "--nonsense"], "unrecognized arguments: --nonsense"),
        (["cluster", "--brokers", "0"], "'0' is not a whole number from 1 to 100"),
        (["cluster", "--brokers", "many"], "'many' is not a whole number from 1 to 100"),
        (["cluster", "--port", "65536"], "'65536' is not a whole number from 0 to 65535"),
        (["cluster", "--port=-1"], "'-1' is not a whole number from 0 to 65535"),
        (["cluster", "--port", "65535"], "port 65535 leaves no room for 3 brokers"),
        (["demo", "--records", "0"], "'0' is not a whole number above 0"),
        (["demo", "--throughput", "1.5"], "'1.5' is not a whole number above 0"),
        (["demo", "--rate", "101"], "'101' is not a number from 0 to 100"),
        (["demo", "--rate", "nan"], "'nan' is not a number from 0 to 100"),
        (["demo", "--rate", "half"], "'half' is not a number from 0 to 100"),
        (["demo", "--seed=-1"], "'-1' is not a whole number from 0 to 18446744073709551615"),
        (["demo", "--seed", "x"], "'x' is not a whole number from 0 to 18446744073709551615"),
        (["rest"], "the following arguments are required: --target"),
        (
            ["rest", "--target", "x:1", "--port", "65536"],
            "'65536' is not a whole number from 0 to 65535",
        ),
        *(
            (["rest", "--target", target], f"{target!r} is not HOST:PORT, such as localhost:50051")
            for target in ("nonsense", "x:", ":1", "x:0", "x:65536", "x:1,y:2", "::1:1", "a/b:1")
        ),
        (["demo", "--records", "9" * 5000], "is not a whole number above 0"),
    ],
)
def test_bad_usage_is_refused_in_one_sentence(
    capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    code, out, err = output(capsys, *arguments)

    assert (code, out) == (2, "")
    assert complaint in err.splitlines()[-1]
    assert "Traceback" not in err


def test_bad_settings_are_all_told_one_a_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_PORT_START", "x")
    monkeypatch.setenv("GATEWAY_USER_POOL_SECRET_KEY", "hunter2")

    code, out, err = output(capsys, "run", "--check")

    assert (code, out) == (2, "")
    assert err.splitlines() == [
        "chaos-sidecar: GATEWAY_PORT_START: 'x' is not allowed; "
        "it takes a whole number from 1 to 65535",
        "chaos-sidecar: GATEWAY_USER_POOL_SECRET_KEY: the value given is not allowed; "
        "it takes base64 of at least 32 random bytes",
        "chaos-sidecar: KAFKA_BOOTSTRAP_SERVERS is not set; "
        "it takes host:port, several separated by commas",
    ]


def test_good_settings_pass_the_check(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "sidecar.toml"
    file.write_text('[kafka]\nbootstrap_servers = "localhost:9092"\n')

    code, out, err = output(capsys, "run", "--check", "--config", str(file))

    assert (code, err) == (0, "")
    assert re.search("fine", out)


@pytest.mark.parametrize(
    "target", ["localhost:1", "10.0.0.1:65535", "side_car.x-y:50051", "[::1]:50051"]
)
def test_addresses_are_taken_as_they_are_written(target: str) -> None:
    assert host_port(target) == target
