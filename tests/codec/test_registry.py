"""The registry's table against what the modules declare, and what it imports when."""

import pkgutil
import subprocess
import sys
from importlib import import_module

import pytest

import codec.messages
from codec.api_keys import FLEXIBLE_SINCE, ApiKey
from codec.registry import SUPPORTED
from codec.schema import Message, Request, Response

NAMES = sorted(module.name for module in pkgutil.iter_modules(codec.messages.__path__))


def declared(name: str) -> list[type[Message]]:
    """The messages of a module."""
    values = vars(import_module(f"codec.messages.{name}")).values()
    return [
        v
        for v in values
        if isinstance(v, type) and issubclass(v, Message) and "VERSIONS" in vars(v)
    ]


def imported(code: str) -> set[str]:
    """Modules of messages that a process has imported after running this."""
    script = f"import sys\n{code}\nprint(*[m for m in sys.modules if m.startswith('codec.mess')])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return {name.removeprefix("codec.messages.") for name in done.stdout.split()}


@pytest.mark.parametrize("name", NAMES)
def test_the_table_says_what_the_module_declares(name: str) -> None:
    messages = declared(name)
    assert len(messages) % 2 == 0
    assert messages
    for message in messages:
        api = SUPPORTED[message.API_KEY]
        assert api.module == f"codec.messages.{name}"
        assert range(api.min_version, api.max_version + 1) == message.VERSIONS
        assert (api.request if message.IS_REQUEST else api.response) is message


@pytest.mark.parametrize("key", SUPPORTED, ids=lambda key: key.name)
def test_every_line_has_its_messages(key: ApiKey) -> None:
    api = SUPPORTED[key]
    assert api.key == key == api.request.API_KEY == api.response.API_KEY
    assert issubclass(api.request, Request)
    assert issubclass(api.response, Response)
    assert api.flexible_since == FLEXIBLE_SINCE[key]


def test_the_table_is_in_the_order_of_keys() -> None:
    assert list(SUPPORTED) == sorted(SUPPORTED)


def test_importing_the_codec_imports_no_messages() -> None:
    assert imported("import codec, codec.registry, codec.headers, codec.rewriting") == set()


def test_asking_imports_one_module() -> None:
    code = "import codec; codec.registry.SUPPORTED[3].max_version; codec.registry.request_class(12)"
    assert imported(code) == {"codec.messages", "heartbeat"}
