"""Errors for callers carry every violation."""

from sidecar.model.errors import FieldViolation, InvalidArgument


def test_invalid_argument_tells_all_violations_at_once() -> None:
    error = InvalidArgument(FieldViolation("a", "a is bad"), FieldViolation("b", "b is worse"))

    assert str(error) == "a is bad; b is worse"
    assert [v.field for v in error.violations] == ["a", "b"]
