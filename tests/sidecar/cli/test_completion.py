"""The script of `completion` in a real shell."""

import os
import shutil
import subprocess
import sys

import pytest

from sidecar.cli import main

_ASK = """
source /dev/stdin
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_shtab_chaos_sidecar chaos-sidecar "${!#}"
echo "${COMPREPLY[@]}"
"""


# Where nothing may be skipped, the lack of it fails the test.
@pytest.mark.skipif(
    shutil.which("bash") is None and os.environ.get("KAFKA_REQUIRED") != "1",
    reason="bash is not installed",
)
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["ru"], "run"),
        (["ctl", "i"], "interceptors injections"),
        (["ctl", "interceptors", "create", "mine", "slow-b"], "slow-broker"),
        (
            ["ctl", "interceptors", "create", "mine", "slow-broker", "--max-"],
            "--max-latency-ms --max-injections --max-per-second",
        ),
        (["ctl", "status", "--output", ""], "table json"),
    ],
)
def test_bash_completes(capsys: pytest.CaptureFixture[str], typed: list[str], offered: str) -> None:
    assert main(["completion", "bash"]) == 0
    done = subprocess.run(
        ["bash", "--norc", "-c", _ASK, "bash", "chaos-sidecar", *typed],
        input=capsys.readouterr().out,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == offered
    assert done.stderr == ""


def test_zsh_gets_a_script_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "zsh"]) == 0

    out = capsys.readouterr().out
    assert out.startswith("#compdef chaos-sidecar")
    assert "--max-latency-ms" in out


def test_a_reader_that_goes_away_is_no_failure_to_tell() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    script = "import sys; from sidecar.cli import main; sys.exit(main(['completion', 'bash']))"

    done = subprocess.run(
        [sys.executable, "-c", script], stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)

    assert (done.returncode, done.stderr) == (141, b"")
