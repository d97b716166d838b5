"""What in a layout a rewriter has to ask about, and what it can pass over at once."""

from codec.compiler.layout import FIXED_ARRAYS, Layout, Slot
from codec.fields import Role

NAMES: dict[Role | None, str] = {
    Role.TOPIC: "topic",
    Role.GROUP: "group",
    Role.TRANSACTIONAL_ID: "transactional_id",
}
"""Hooks that may say that an array element is to be dropped, by role."""

HOOKS: dict[Role | None, str] = {
    **NAMES,
    Role.TOPIC_ID: "topic_id",
    Role.TOPIC_PATTERN: "topic_pattern",
    Role.TRANSACTIONAL_ID_PATTERN: "transactional_id_pattern",
    Role.TEXT: "text",
    Role.BROKER: "broker",
}
"""All hooks, by role."""


def hooks_of(layout: Layout) -> set[str]:
    """Names of the hooks that a struct, or anything in it, calls for."""
    return {hook for slot in (*layout.slots, *layout.tagged) for hook in slot_hooks(slot)}


def slot_hooks(slot: Slot) -> set[str]:
    """Names of the hooks that a field, or anything in it, calls for."""
    own = {HOOKS[slot.field.role]} if slot.field.role in HOOKS else set()
    return own | (hooks_of(slot.inner) if slot.inner else set())


def plain(slot: Slot) -> bool:
    """Whether a field has one size, and nothing to ask about."""
    return slot.fixed and slot.field.role not in HOOKS


def usually_empty(slot: Slot) -> bool:
    """Whether a field nearly always is in its empty form, in which there is nothing to ask about.

    A name is never taken for that: its hook may drop what holds it.
    """
    return slot.field.sparse and slot.field.role not in NAMES


def same_size(slot: Slot) -> bool:
    """Whether all elements of an array have one size."""
    if slot.inner:
        return not slot.flexible and all(map(plain, slot.inner.slots))
    return slot.element in FIXED_ARRAYS


def droppable(slot: Slot) -> bool:
    """Whether the elements of an array are names, or hold one directly."""
    if slot.inner:
        return any(inner.field.role in NAMES for inner in slot.inner.slots)
    return slot.field.role in NAMES


def begins_with_its_name(slot: Slot) -> bool:
    """Whether the only name in the elements of an array is the first that is asked about."""
    if not slot.inner:
        return True
    asked = [inner for inner in slot.inner.slots if slot_hooks(inner)]
    names = [inner for inner in asked if inner.field.role in NAMES]
    return asked[:1] == names
