"""What `ctl` teaches, and how it takes what was misspelled: exit code 2 before anybody is asked."""

import subprocess
import sys

import pytest

from sidecar.cli import main
from sidecar.cli.arguments import Parser
from sidecar.cli.ctl import add_to
from sidecar.cli.ctl.times import duration


def output(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command line that ends at once."""
    with pytest.raises(SystemExit) as end:
        main(["ctl", *arguments])
    captured = capsys.readouterr()
    return int(end.value.code or 0), captured.out, captured.err


def leaves(parser: Parser) -> list[Parser]:
    """The parsers that have no commands below them."""
    below = [action.choices for action in parser._actions if isinstance(action.choices, dict)]
    if not below:
        return [parser]
    return [leaf for one in below[0].values() for leaf in leaves(one)]


def commands() -> list[Parser]:
    """Every command of `ctl`."""
    parser = Parser(prog="chaos-sidecar")
    add_to(parser.add_subparsers(), whole=True)
    return leaves(parser)


@pytest.mark.parametrize("parser", commands(), ids=lambda one: one.prog.removeprefix("chaos-"))
def test_every_command_has_an_example_that_can_be_typed(parser: Parser) -> None:
    whole = Parser(prog="chaos-sidecar")
    add_to(whole.add_subparsers(), whole=True)
    program, *words = parser.example.split()

    assert program == "chaos-sidecar"
    assert parser.example in parser.format_help()
    assert whole.parse_args(words).function is not None
    for flag in ("--target", "--output", "--timeout"):
        assert flag in parser.format_help()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("interceptor list", "did you mean interceptors?"),
        ("interceptors creat x", "did you mean create?"),
        ("interceptors create x leader-elektion", "did you mean leader-election?"),
        (
            "interceptors create x leader-election --rate 5",
            "--rate; did you mean --rate-in-percent?",
        ),
        ("interceptors create leader-election --rate-in-percent 5", "come behind NAME FAULT"),
        ("interceptors create x leader-election", "are required: --rate-in-percent"),
        (
            "interceptors create x leader-election --rate-in-percent 101",
            "'101' is not a number from",
        ),
        (
            "interceptors create x leader-election --rate-in-percent nan",
            "'nan' is not a number from",
        ),
        ("interceptors list --glbal", "--glbal; did you mean --global?"),
        ("interceptors get", "are required: NAME"),
        ("status --outptu json", "--outptu; did you mean --output?"),
        ("status --vcluster x", "unrecognized arguments: --vcluster"),
        ("status -o yaml", "invalid choice: 'yaml'"),
        ("status --target nonsense", "'nonsense' is not HOST:PORT"),
        ("status --timeout 0", "'0' is not a number from 0.1 to 3600"),
        ("watch --for ever", "'ever' is not a time such as 500ms, 30s, 1h30m, 90d"),
        ("tokens create sa --lifetime 500ms", "'500ms' is not a time of whole seconds from 1s to"),
        ("tokens create sa --lifetime 1500ms", "'1500ms' is not a time of whole seconds from"),
        ("tokens create sa --lifetime 3651d", "'3651d' is not a time of whole seconds from 1s"),
        (
            "interceptors create x leader-election --rate-in-percent 5 --max-per-second 0",
            "'0' is not a number from 0.001 to 100000",
        ),
        (
            "interceptors create x leaderless --topic a --annotation a=b --annotation a=c",
            "argument --annotation: 'a' is given twice",
        ),
        (
            "interceptors create x broken-broker --rate-in-percent 1 --error-map PRODUCE=A"
            " --error-map PRODUCE=B",
            "argument --error-map: 'PRODUCE' is given twice",
        ),
        ("injections --limit 0", "'0' is not a whole number from 1 to 100000"),
    ],
)
def test_what_was_misspelled_is_told_with_what_is_near(
    capsys: pytest.CaptureFixture[str], words: str, complaint: str
) -> None:
    code, out, err = output(capsys, *words.split())

    assert (code, out) == (2, "")
    assert complaint in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("250ms", 250), ("90s", 90_000), ("1h30m", 5_400_000), ("90d", 7_776_000_000)],
)
def test_times(text: str, milliseconds: int) -> None:
    assert duration(text) == milliseconds


def test_other_commands_import_nothing_of_it() -> None:
    script = (
        "import sys; from sidecar.cli import main\n"
        "main(['run', '--check'])\n"
        "names = {name.partition('.')[0] for name in sys.modules}\n"
        "print(*sorted(names & {'grpc', 'google', 'shtab', 'rich'}))\n"
        "print(*(name for name in sys.modules if name.startswith('sidecar.cli.ctl.')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"KAFKA_BOOTSTRAP_SERVERS": "localhost:9092"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "the settings are fine\n\n\n"
