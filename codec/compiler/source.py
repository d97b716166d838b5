"""A little builder for the source of one generated module."""

from collections.abc import Iterator
from contextlib import contextmanager
from struct import Struct
from typing import Any


class Source:
    """Collects lines, unique names and the constants they refer to, then executes them."""

    def __init__(self, **constants: Any) -> None:
        self.constants: dict[str, Any] = constants
        self._lines: list[str] = []
        self._depth = 0
        self._names = 0

    def line(self, text: str) -> None:
        """Add one statement at the current depth."""
        self._lines.append("    " * self._depth + text)

    def mark(self) -> int:
        """A place to insert lines at, later."""
        return len(self._lines)

    def insert(self, mark: int, text: str) -> None:
        """Add one statement at that place, in the current depth."""
        self._lines.insert(mark, "    " * self._depth + text)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Add a statement that ends with a colon, and indent what is added inside."""
        self.line(head)
        self._depth += 1
        yield
        self._depth -= 1

    def name(self, stem: str) -> str:
        """A variable name nothing else uses."""
        self._names += 1
        return f"{stem}{self._names}"

    def constant(self, value: Any, stem: str) -> str:
        """The name under which generated code finds this value."""
        for name, known in self.constants.items():
            if known is value:
                return name
        name = self.name(stem)
        self.constants[name] = value
        return name

    def struct(self, codes: str, method: str) -> tuple[str, int]:
        """The name of a method of a prepared big-endian Struct, and the size it handles."""
        prepared = Struct(">" + codes)
        name = f"{method}_{codes}".replace("?", "t")
        self.constants[name] = getattr(prepared, method)
        return name, prepared.size

    def text(self) -> str:
        """The whole source, as executed."""
        return "\n".join(self._lines) + "\n"

    def execute(self, entry: str, origin: str) -> Any:
        """Run the source and return the function it defines under this name."""
        exec(compile(self.text(), f"<{origin}>", "exec"), self.constants)
        return self.constants[entry]
