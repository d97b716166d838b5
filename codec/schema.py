"""How a message is declared: classes whose attributes are typed field declarations.

A declaration is written in wire order, its versions as in Kafka's documentation ("0+", "3-12",
"8"). When the class is made each becomes an attribute, and the compiler turns the table into
functions.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Generic, Self, TypeVar, cast, overload

from codec.api_keys import ApiKey

# Imported under their own names so that tables of messages find everything here.
from codec.fields import Field as Field
from codec.fields import Kind as Kind
from codec.fields import Role as Role
from codec.fields import version_range as version_range
from codec.primitives import Buffer, UnknownTags

ZERO_UUID = bytes(16)


def _field(
    kind: Kind,
    versions: str,
    default: object,
    nullable: str = "none",
    **options: Any,
) -> Any:
    return Field(
        kind, version_range(versions), default, nullable=version_range(nullable), **options
    )


def boolean(versions: str, *, default: bool = False, tag: int | None = None) -> bool:
    """Declare one byte, 0 or 1; any other value reads as true."""
    return cast(bool, _field(Kind.BOOLEAN, versions, default, tag=tag))


def _integer(kind: Kind, text: str) -> Callable[..., int]:
    def declare(
        versions: str, *, default: int = 0, tag: int | None = None, role: Role | None = None
    ) -> int:
        return cast(int, _field(kind, versions, default, tag=tag, role=role))

    declare.__doc__ = f"Declare {text}, big-endian."
    return declare


int8 = _integer(Kind.INT8, "a signed integer of 8 bits")
int16 = _integer(Kind.INT16, "a signed integer of 16 bits")
int32 = _integer(Kind.INT32, "a signed integer of 32 bits")
int64 = _integer(Kind.INT64, "a signed integer of 64 bits")
uint16 = _integer(Kind.UINT16, "an unsigned integer of 16 bits")


def float64(versions: str, *, default: float = 0.0, tag: int | None = None) -> float:
    """Declare an IEEE 754 double, big-endian. Not-a-number keeps its bits."""
    return cast(float, _field(Kind.FLOAT64, versions, default, tag=tag))


def uuid(versions: str, *, tag: int | None = None, role: Role | None = None) -> bytes:
    """Declare 16 bytes; all zero means none."""
    return cast(bytes, _field(Kind.UUID, versions, ZERO_UUID, tag=tag, role=role))


@overload
def string(
    versions: str, *, tag: int | None = None, role: Role | None = None, default: str = ""
) -> str: ...
@overload
def string(
    versions: str,
    *,
    nullable: str,
    default: str | None = "",
    tag: int | None = None,
    role: Role | None = None,
    sparse: bool = False,
) -> str | None: ...
def string(
    versions: str, *, nullable: str = "none", default: str | None = "", **options: Any
) -> str | None:
    """Declare UTF-8 text of at most 32,767 bytes."""
    return cast(str, _field(Kind.STRING, versions, default, nullable, **options))


@overload
def blob(versions: str, *, tag: int | None = None, role: Role | None = None) -> Buffer: ...
@overload
def blob(
    versions: str,
    *,
    nullable: str,
    default: bytes | None = b"",
    tag: int | None = None,
    role: Role | None = None,
) -> Buffer | None: ...
def blob(
    versions: str, *, nullable: str = "none", default: bytes | None = b"", **options: Any
) -> Buffer | None:
    """Declare opaque bytes."""
    return cast(bytes, _field(Kind.BYTES, versions, default, nullable, **options))


def record_batches(versions: str) -> Buffer | None:
    """Declare record batches, or null; see codec.records."""
    return cast(bytes, _field(Kind.BYTES, versions, None, versions))


S = TypeVar("S", bound="Struct")


@overload
def array(
    versions: str, element: type[S], *, tag: int | None = None, sparse: bool = False
) -> list[S]: ...
@overload
def array(
    versions: str,
    element: type[S],
    *,
    nullable: str,
    default: tuple[()] | None = (),
    sparse: bool = False,
) -> list[S] | None: ...
def array(
    versions: str,
    element: type[S],
    *,
    nullable: str = "none",
    default: tuple[()] | None = (),
    **options: Any,
) -> list[S] | None:
    """Declare an array of structs. It decodes to a list; unset, it reads as the empty tuple."""
    return cast(
        "list[S]", _field(Kind.ARRAY, versions, default, nullable, element=element, **options)
    )


N = TypeVar("N", int, bytes)


class _ArrayOf(Generic[N]):
    """Declares arrays of one primitive type of fixed size. They decode to tuples."""

    def __init__(self, element: Kind) -> None:
        self._element = element

    @overload
    def __call__(
        self, versions: str, *, tag: int | None = None, sparse: bool = False
    ) -> Sequence[N]: ...
    @overload
    def __call__(
        self,
        versions: str,
        *,
        nullable: str,
        default: tuple[()] | None = (),
        tag: int | None = None,
    ) -> Sequence[N] | None: ...
    def __call__(
        self,
        versions: str,
        *,
        nullable: str = "none",
        default: tuple[()] | None = (),
        **options: Any,
    ) -> Sequence[N] | None:
        field = _field(Kind.ARRAY, versions, default, nullable, element=self._element, **options)
        return cast("Sequence[N]", field)


int8_array = _ArrayOf[int](Kind.INT8)
int16_array = _ArrayOf[int](Kind.INT16)
int32_array = _ArrayOf[int](Kind.INT32)
int64_array = _ArrayOf[int](Kind.INT64)
uuid_array = _ArrayOf[bytes](Kind.UUID)


@overload
def string_array(versions: str, *, role: Role | None = None) -> list[str]: ...
@overload
def string_array(
    versions: str,
    *,
    nullable: str,
    default: tuple[()] | None = (),
    role: Role | None = None,
) -> list[str] | None: ...
def string_array(
    versions: str, *, nullable: str = "none", default: tuple[()] | None = (), **options: Any
) -> list[str] | None:
    """Declare an array of strings. A role is that of each element."""
    return cast(
        "list[str]",
        _field(Kind.ARRAY, versions, default, nullable, element=Kind.STRING, **options),
    )


@overload
def struct(versions: str, element: type[S]) -> S: ...
@overload
def struct(versions: str, element: type[S], *, tag: int) -> S | None: ...
@overload
def struct(versions: str, element: type[S], *, nullable: str) -> S | None: ...
def struct(
    versions: str, element: type[S], *, nullable: str = "none", tag: int | None = None
) -> S | None:
    """Declare a struct.

    With a tag, None means that the tag is absent. Without, a byte before the struct tells whether
    it is there in the versions where it is nullable (KIP-893), and None means that it is not.
    """
    default = element if tag is None and nullable == "none" else None
    return cast("S", _field(Kind.STRUCT, versions, default, nullable, element=element, tag=tag))


class _Declared(type):
    """Metaclass of structs: turns the declarations in a class body into FIELDS and slots.

    Slots make objects half as expensive to fill as a dict would, and attributes that are not
    fields an error.
    """

    FIELDS: tuple[Field, ...]
    BARE: Any

    def __new__(
        mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any
    ) -> "_Declared":
        fields = {n: replace(f, name=n) for n, f in namespace.items() if isinstance(f, Field)}
        others = {n: value for n, value in namespace.items() if n not in fields}
        others.setdefault("__slots__", tuple(fields))
        cls = super().__new__(mcs, name, bases, others, **options)
        if fields:
            cls.FIELDS = tuple(fields.values())
        bare = {"__init__": object.__init__, "__slots__": (), "__qualname__": cls.__qualname__}
        cls.BARE = type.__new__(mcs, name, (cls,), bare)
        return cls


class Struct(metaclass=_Declared):
    """Base of everything declared: keyword construction, equality, repr, copy.

    Every field of every version is an attribute. One that was not given, or is not there in the
    decoded version, holds its default: a fresh list for an array of a constructed object, so that
    it can be appended to, the empty tuple for one of a decoded object.

    Decoded objects are instances of a subclass without constructor: ask with isinstance. They
    cannot be hashed, because they can be changed.

    Unknown tagged fields are kept in `unknown_tags` as (tag, payload) in ascending order, and
    written back.
    """

    __slots__ = ("unknown_tags",)

    FIELDS: ClassVar[tuple[Field, ...]] = ()
    BARE: ClassVar[type[Any]]
    """The same class without a constructor: what decoders make, three times cheaper."""

    unknown_tags: UnknownTags

    def __init__(self, **values: object) -> None:
        self.unknown_tags = cast(UnknownTags, values.pop("unknown_tags", ()))
        for field in self.FIELDS:
            value = values[field.name] if field.name in values else _fresh(field.default)
            setattr(self, field.name, value)
        unknown = values.keys() - {field.name for field in self.FIELDS}
        if unknown:
            raise TypeError(f"{type(self).__name__} has no field {', '.join(sorted(unknown))}")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Struct) or self.FIELDS is not other.FIELDS:
            return NotImplemented
        return all(_same(getattr(self, n), getattr(other, n)) for n in self._attributes())

    # Equal by value and mutable: Python's own way to say that it has no hash.
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        values = ", ".join(f"{n}={getattr(self, n)!r}" for n in self._attributes())
        return f"{type(self).__name__}({values})"

    def copy(self, **changes: object) -> Self:
        """A shallow copy with these attributes changed; TypeError for an unknown one."""
        made: Self = self.BARE()
        for name in self._attributes():
            setattr(made, name, changes.pop(name, getattr(self, name)))
        if changes:
            raise TypeError(f"{type(self).__name__} has no field {', '.join(sorted(changes))}")
        return made

    @classmethod
    def _attributes(cls) -> list[str]:
        return [field.name for field in cls.FIELDS] + ["unknown_tags"]


def _fresh(default: Any) -> Any:
    """What an attribute holds that was not given; objects must not share what can be changed."""
    if default == ():
        return []
    return default() if isinstance(default, type) else default


def _same(left: Any, right: Any) -> bool:
    # Arrays compare as sequences: a decoded list equals the tuple a caller wrote.
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(_same, left, right))
    # Not-a-number equals itself here: what was decoded twice is the same.
    return bool(left == right or (left != left and right != right))


class Message(Struct):
    """The body of one request or response, in any of its versions.

    `trailing` is what followed the last field. It is kept and written back: real brokers are known
    to send a surplus byte.
    """

    __slots__ = ("trailing",)

    API_KEY: ClassVar[ApiKey]
    VERSIONS: ClassVar[range]
    IS_REQUEST: ClassVar[bool]

    trailing: Buffer

    def __init__(self, **values: object) -> None:
        self.trailing = cast(Buffer, values.pop("trailing", b""))
        super().__init__(**values)

    def __init_subclass__(cls, *, key: ApiKey | None = None, versions: str = "none") -> None:
        super().__init_subclass__()
        if key is not None:
            cls.API_KEY = key
            cls.VERSIONS = version_range(versions)

    @classmethod
    def _attributes(cls) -> list[str]:
        return [*super()._attributes(), "trailing"]


class Request(Message):
    """Base of request bodies."""

    IS_REQUEST = True


class Response(Message):
    """Base of response bodies."""

    IS_REQUEST = False
