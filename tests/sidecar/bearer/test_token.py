"""What a token says of itself, whatever it is."""

import base64
import contextlib
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sidecar.bearer.token import TokenError, read

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


@given(st.text(max_size=40) | st.from_regex(r"[\w-]{0,9}\.[\w-]{0,40}\.[\w-]{0,4}", fullmatch=True))
def test_no_text_makes_it_raise_anything_else(value: str) -> None:
    with contextlib.suppress(TokenError):
        read(value, "scope", "sub", 1.0)


@given(st.fixed_dictionaries({}, optional={"sub": JSON, "exp": JSON, "scope": JSON}) | JSON)
def test_no_claims_make_it_raise_anything_else(claims: Any) -> None:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    with contextlib.suppress(TokenError):
        token = read(f"e30.{payload}.c2ln", "scope", "sub", 1.0)
        assert token.subject.strip()
        assert 1.0 < token.expires < 1e11
