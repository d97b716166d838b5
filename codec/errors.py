"""The errors of this package. Nothing else ever comes out of decoding, whatever the bytes."""


class CodecError(ValueError):
    """Base of every error raised by this package."""


class DecodeError(CodecError):
    """The bytes are not a valid message, header, frame or record batch."""


class EncodeError(CodecError):
    """A message holds a value its layout cannot carry: null, out of range, or of another type."""


class UnsupportedVersion(CodecError):
    """The API key, or this version of it, is not one the codec has a layout for."""


class UnsupportedCompression(CodecError):
    """Records are compressed in a way nobody knows, or by a library that is not installed."""
