"""Turns declared messages into functions, one for each message, version and purpose.

The functions are Python source, written from the declaration and made with exec: nothing but names
and numbers of our own declarations goes into it, never anything from the wire. What it buys: runs
of fixed-size fields become one struct call together with the length byte of what follows, fields
that do not exist in a version cost nothing, and there is no call per field.
"""

from codec.compiler.decoding import compile_decoder
from codec.compiler.encoding import compile_encoder

__all__ = ["compile_decoder", "compile_encoder"]
