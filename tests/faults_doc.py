"""The sections of docs/faults.md, from the descriptors of `protos/`.

As a script it writes them anew and leaves the notes behind the tables as they are::

    python -m tests.faults_doc
"""

import re
from pathlib import Path

from google.protobuf.descriptor import FieldDescriptor

from sidecar.gen.kafka.chaos.v1 import fault_options_pb2
from sidecar.gen.kafka.chaos.v1.interceptor_pb2 import Interceptor

PAGE = Path(__file__).parents[1] / "docs" / "faults.md"
MARK = "<!-- One section a fault"
HEAD = "| REST | gRPC | values | default | meaning |\n|---|---|---|---|---|\n"


def updated(page: str) -> str:
    """The page with a section for each fault there is, in order, and none for any other."""
    intro, _, rest = page.partition(MARK)
    mark, *sections = re.split(r"^(?=## )", rest, flags=re.MULTILINE)
    notes = {_title_of(section): _notes(section) for section in sections}
    faults = Interceptor.DESCRIPTOR.oneofs_by_name["fault"].fields
    made = [_section(fault, notes) for fault in faults]
    return "\n".join([intro + MARK + mark.rstrip() + "\n", *made])


def _section(fault: FieldDescriptor, notes: dict[str, str]) -> str:
    message = fault.message_type
    assert message is not None
    plugin = message.GetOptions().Extensions[fault_options_pb2.plugin]
    title = plugin.title or fault.name.replace("_", " ").capitalize()
    where = f"gRPC `{fault.name}`"
    if plugin.class_name:
        where = f"REST `{plugin.class_name}`, {where}"
    rows = "".join(_row(field) for field in message.fields)
    note = notes.get(title, "")
    return f"## {title}\n\n{plugin.description}\n\n{where}.\n\n{HEAD}{rows}" + (
        note and "\n" + note
    )


def _row(field: FieldDescriptor) -> str:
    key = field.GetOptions().Extensions[fault_options_pb2.key]
    default = key.fallback or "required"
    return (
        f"| `{field.json_name}` | `{field.name}` | {_values(field)} | {default} | {key.meaning} |\n"
    )


def _values(field: FieldDescriptor) -> str:
    key = field.GetOptions().Extensions[fault_options_pb2.key]
    if key.allowed:
        return str(key.allowed)
    if field.is_repeated:
        return "a list"
    if key.HasField("minimum"):
        kind = "" if field.type == FieldDescriptor.TYPE_DOUBLE else "integers "
        return f"{kind}{_exact(key.minimum)} to {_exact(key.maximum)}"
    if field.enum_type is not None:
        prefix = field.enum_type.values_by_number[0].name.removesuffix("UNSPECIFIED")
        values = field.enum_type.values
        return ", ".join(v.name.removeprefix(prefix) for v in values if v.number)
    if field.type == FieldDescriptor.TYPE_UINT64:
        return f"integers 0 to {2**64 - 1}"
    return "true, false" if field.type == FieldDescriptor.TYPE_BOOL else "any"


def _exact(number: float) -> str:
    return str(int(number)) if number.is_integer() else repr(number)


def _title_of(section: str) -> str:
    return section.splitlines()[0].removeprefix("## ")


def _notes(section: str) -> str:
    """What stands behind the first table."""
    table = re.search(r"^(?:\|.*\n)+", section, re.MULTILINE)
    notes = section[table.end() :].strip() if table else ""
    return notes and notes + "\n"


if __name__ == "__main__":
    PAGE.write_text(updated(PAGE.read_text()))
