"""The record of an injection is the log event's fields."""

from dataclasses import fields

from sidecar.model.injection import Injection


def test_as_dict_has_every_field_in_declared_order() -> None:
    names = [field.name for field in fields(Injection)]
    values = dict(zip(names, range(len(names)), strict=True))

    found = Injection(**values).as_dict()

    assert list(found.items()) == list(values.items())
