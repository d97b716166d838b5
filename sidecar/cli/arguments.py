"""The parser, types of arguments, and words for failures, that several commands share.

A type raises ArgumentTypeError; argparse puts the option's name before its message and ends with 2.
"""

import argparse
import difflib
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NoReturn

_ADDRESS: Final = re.compile(r"(?:[\w.-]+|\[[0-9a-f:.]+(?:%\w+)?\]):([0-9]{1,5})", re.A | re.I)


class Parser(argparse.ArgumentParser):
    """argparse's, but it names what is near to a misspelled word, and can show an example.

    Sub-commands get parsers of the same class.
    """

    anywhere: argparse.ArgumentParser | None = None
    """Its flags may stand anywhere behind this parser's command, also before sub-commands."""
    example: str = ""
    """A command line that works, told with every complaint."""

    def parse_known_args(  # type: ignore[override]  # one signature instead of argparse's overloads
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """As argparse, but words that nobody knows are refused here, where their like is known."""
        words = list(sys.argv[1:] if args is None else args)
        early = argparse.Namespace()
        if self.anywhere is not None:
            early, words = self.anywhere.parse_known_args(words)
        if not self.allow_abbrev:
            self._check_flags(words)
        found, unknown = super().parse_known_args(words, namespace)
        if unknown:
            near = _near(unknown[0].partition("=")[0], self._option_string_actions)
            self.error(f"unrecognized arguments: {' '.join(unknown)}{near}")
        for name, value in vars(early).items():
            setattr(found, name, value)
        return found, []

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end with 2."""
        hint = f"\n\nfor example:\n  {self.example}" if self.example else ""
        super().error(message + hint)

    def _check_flags(self, words: Sequence[str]) -> None:
        """Refuse a flag that is not known here; argparse would first complain of what is missing.

        Only of a parser without abbreviations. Behind a sub-command its own parser does this.
        """
        positionals = [action for action in self._actions if not action.option_strings]
        commands = [isinstance(one.choices, dict) for one in positionals]
        ahead = commands.index(True) if True in commands else -1
        plain = 0
        for word in words:
            if word == "--" or plain == ahead + 1 > 0:
                return
            flag = word.partition("=")[0]
            if not flag.startswith("--"):
                plain += not flag.startswith("-")
            elif flag not in self._option_string_actions:
                where = _near(flag, self._option_string_actions)
                if ahead >= 0:
                    before = " ".join(str(one.metavar) for one in positionals)
                    where = f"; such flags come behind {before}"
                self.error(f"unrecognized arguments: {flag}{where}")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            error.message += _near(str(value), map(str, action.choices or ()))
            raise


def _near(word: str, known: Iterable[str]) -> str:
    """What may have been meant, as an end of a sentence; empty when nothing is near."""
    known = list(known)
    longer = [one for one in known if len(word) > 2 and one.startswith(word)]
    near = longer or difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"; did you mean {' or '.join(near)}?" if near else ""


def number(low: float, high: float) -> Callable[[str], float]:
    """A number from `low` to `high`, both included."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(
                f"{text!r} is not a number from {low:.15g} to {high:.15g}"
            )
        return value

    return parse


def whole_number(low: int, high: int | None = None) -> Callable[[str], int]:
    """A whole number from `low`, 0 or more, to `high`, both included; None is without end."""
    words = f"above {low - 1}" if high is None else f"from {low} to {high}"
    # Longer ones are refused unread: int() takes long for them, or refuses itself.
    longest = len(str(high)) if high is not None else 18

    def parse(text: str) -> int:
        if text.isascii() and text.isdigit() and len(text.lstrip("0")) <= longest:
            number = int(text)
            if low <= number and (high is None or number <= high):
                return number
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number {words}")

    return parse


def host_port(text: str) -> str:
    """``HOST:PORT`` as it was given; an IPv6 address stands in brackets."""
    found = _ADDRESS.fullmatch(text)
    if not found or not 0 < int(found[1]) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT, such as localhost:50051")
    return text


def reason(error: Exception) -> str:
    """What went wrong in words, without the number that Python puts before a system's error."""
    return (isinstance(error, OSError) and error.strerror) or str(error)
