"""Who a client's certificate is of: its subject as Java writes it, then Kafka's mapping rules.

Rules are those of `ssl.principal.mapping.rules` (KIP-371): ``RULE:pattern/replacement/[LU]`` and
``DEFAULT``, separated by commas; the first whose pattern is the whole subject counts.
"""

import re
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Final

from sidecar.model.patterns import MAX_PATTERN

_SHORT: Final = {
    "commonName": "CN",
    "localityName": "L",
    "stateOrProvinceName": "ST",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "countryName": "C",
    "streetAddress": "STREET",
    "domainComponent": "DC",
    "userId": "UID",
}
"""Attributes that RFC 2253 has short names for."""
_RULE: Final = re.compile(r"RULE:((?:\\.|[^\\/])*)/((?:\\.|[^\\/])*)/([LU]?)\s*(?:,\s*|$)")
_DEFAULT: Final = re.compile(r"DEFAULT\s*(?:,\s*|$)")
MAX_RULES: Final = 100


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; without a pattern it is DEFAULT."""

    pattern: str = ""
    replacement: str = ""
    case: str = ""


def rules(text: str) -> tuple[Rule, ...]:
    """Read the rules; raises ValueError that says what is wrong with them."""
    found: list[Rule] = []
    rest = text.strip()
    while rest:
        default, rule = _DEFAULT.match(rest), _RULE.match(rest)
        if default is not None:
            found.append(Rule())
            rest = rest[default.end() :]
        elif rule is not None:
            pattern = rule[1].replace("\\/", "/")
            _compiled(pattern)
            found.append(Rule(pattern, rule[2].replace("\\/", "/"), rule[3]))
            rest = rest[rule.end() :]
        else:
            raise ValueError(
                "RULE:pattern/replacement/[LU] and DEFAULT, separated by commas;"
                f" {rest[:60]!r} is neither"
            )
    if len(found) > MAX_RULES:
        raise ValueError(f"at most {MAX_RULES} rules")
    return tuple(found)


@lru_cache(maxsize=MAX_RULES)
def _compiled(pattern: str) -> Any:
    import re2  # 3 MB that only those pay who have a rule

    if not 0 < len(pattern) <= MAX_PATTERN:
        raise ValueError(f"patterns of 1 to {MAX_PATTERN} characters")
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        cause = error.args[0].decode(errors="replace")
        raise ValueError(f"patterns in RE2 syntax, {pattern!r} is none: {cause}") from None


def principal(subject: str, mapping: tuple[Rule, ...]) -> str:
    """What a subject is called by the first rule that is for it; itself when none is."""
    for rule in mapping:
        if not rule.pattern:
            return subject
        found = _compiled(rule.pattern).fullmatch(subject)
        if found is None:
            continue
        name = re.sub(r"\$(\d)", partial(_group, found), rule.replacement)
        return name.lower() if rule.case == "L" else name.upper() if rule.case == "U" else name
    return subject


def _group(found: Any, reference: re.Match[str]) -> str:
    """What a `$1` of a replacement stands for."""
    try:
        return str(found[int(reference[1])] or "")
    except IndexError:
        return ""


def subject_of(certificate: dict[str, Any] | None) -> str:
    """The subject of a certificate as `ssl` decodes it, in the form of RFC 2253; empty for none."""
    if not certificate:
        return ""
    names = [
        "+".join(f"{_SHORT.get(kind, kind)}={_escaped(value)}" for kind, value in several)
        for several in certificate.get("subject", ())
    ]
    return ",".join(reversed(names))


def _escaped(value: str) -> str:
    text = re.sub(r'([,+"\\<>;])', r"\\\1", value)
    if text.startswith(("#", " ")):
        text = "\\" + text
    if text.endswith(" ") and len(text) > 1 and not text.endswith("\\ "):
        text = text[:-1] + "\\ "
    return text
