"""`ctl` over TLS, and what it says when the ends do not agree."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from sidecar.cli import main
from sidecar.cli.channels import CA_VARIABLE, CERT_VARIABLE
from sidecar.cli.ctl.targets import CREDENTIALS_VARIABLE
from sidecar.control.users import AdminUsers
from tests.sidecar.api.harness import running
from tests.sidecar.api.test_security import tls

CA = trustme.CA()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("tls")
    pair = CA.issue_cert("x@example.org", common_name="orchestrator")
    pair.private_key_and_cert_chain_pem.write_to_path(str(home / "orchestrator.pem"))
    trustme.CA().cert_pem.write_to_path(str(home / "other.pem"))
    return home


@pytest.fixture(scope="module")
def target(folder: Path) -> Iterator[str]:
    """A server that wants certificates."""
    users = AdminUsers([("admin", "conduktor", True), ("orch", "", True)], {"orchestrator": "orch"})
    with running(users=users, tls=tls(folder, CA, require=True)) as control:
        yield f"localhost:{control.server.port}"


def ctl(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(["ctl", *arguments])
    captured = capsys.readouterr()
    return code, captured.out + captured.err


def test_a_certificate_is_enough(
    capsys: pytest.CaptureFixture[str], folder: Path, target: str
) -> None:
    flags = ["--ca", str(folder / "ca.pem"), "--cert", str(folder / "orchestrator.pem")]

    code, text = ctl(capsys, "status", "--target", target, *flags)

    assert (code, "connections" in text.lower()) == (0, True), text


def test_the_environment_says_as_much(
    capsys: pytest.CaptureFixture[str],
    folder: Path,
    target: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(CA_VARIABLE, str(folder / "ca.pem"))
    monkeypatch.setenv(CERT_VARIABLE, str(folder / "orchestrator.pem"))
    monkeypatch.setenv(CREDENTIALS_VARIABLE, "admin:wrong")

    code, text = ctl(capsys, "status", "--target", target)

    assert (code, "the username or password is wrong" in text) == (1, True), text


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ([], "is the one end speaking TLS, and the other not? See --tls, --ca and --cert"),
        (["--ca", "other.pem"], "signed by nobody known here, or for another host: see --ca"),
        (["--tls"], "signed by nobody known here, or for another host: see --ca"),
    ],
)
def test_what_does_not_fit_is_told(
    capsys: pytest.CaptureFixture[str], folder: Path, target: str, flags: list[str], words: str
) -> None:
    named = [str(folder / flag) if flag.endswith(".pem") else flag for flag in flags]

    code, text = ctl(capsys, "status", "--target", target, "--timeout", "3", *named)

    assert code == 1
    assert words in text


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--key", "k.pem"], "--key needs its certificate: add --cert FILE"),
        (["--ca", "nowhere.pem"], "--ca: nowhere.pem cannot be read: No such file or directory"),
    ],
)
def test_files_that_do_not_do_are_told(
    capsys: pytest.CaptureFixture[str], flags: list[str], words: str
) -> None:
    code, text = ctl(capsys, "status", *flags)

    assert (code, words in text) == (2, True), text
