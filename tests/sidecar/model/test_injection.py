"""The record of an injection is the log event's fields."""

from dataclasses import fields, replace
from typing import Any

import pytest

from sidecar.model.injection import Brief, Form, Injection


def test_as_dict_has_every_field_in_declared_order() -> None:
    names = [field.name for field in fields(Injection)]
    values = dict(zip(names, range(len(names)), strict=True))

    found = Injection(**values).as_dict()

    assert list(found.items()) == list(values.items())


@pytest.mark.parametrize("idempotent", [False, True])
def test_a_brief_is_its_form_with_other_numbers(idempotent: bool) -> None:
    values: dict[str, Any] = {field.name: field.name for field in fields(Injection)}
    producer = ("producer_id", "producer_epoch", "base_sequence")
    if not idempotent:
        values |= dict.fromkeys(producer)
    form = Form(Injection(**values), idempotent=idempotent)

    whole = Brief(form, 1.5, 2, 3, 4, 5, 6, 7, 8).whole()

    numbers: dict[str, Any] = {"correlation_id": 2, "partition": 3, "record_count": 4, "draw": 8}
    if idempotent:
        numbers |= {"producer_id": 5, "producer_epoch": 6, "base_sequence": 7}
    assert whole == replace(Injection(**values), time=1.5, **numbers)
    assert whole.whole() is whole
    assert list(form.varying) == [name for name in values if name in numbers]
