"""Messages to bytes and back, framed by a 4-byte length, with size limits.

The same framing runs both ways: commands on the engine's standard input, events on
its standard output. A frame holds one command, or a list of events.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

import msgspec

from playground.protocol.commands import Command
from playground.protocol.events import Event

MAX_FRAME = 64 * 1024 * 1024
"""Bytes. A conversation of a million tokens is about 5 MB; anything near this is no message of ours."""

_LENGTH = struct.Struct("<I")


class ProtocolError(Exception):
    """The other side sent something that is not a message."""


class CutOffError(ProtocolError):
    """The stream ended inside a frame."""


_NOT_A_MESSAGE = (msgspec.MsgspecError, ValueError, RecursionError)
"""What msgspec raises for bytes that aren't a message; text that isn't UTF-8 comes as a ValueError."""

_encoder = msgspec.msgpack.Encoder()
_commands = msgspec.msgpack.Decoder(Command)
_events = msgspec.msgpack.Decoder(list[Event])


def encode_command(command: Command) -> bytearray:
    """One command as a frame. Made in one buffer: a chat of an hour is a megabyte, and comes with each turn."""
    frame = bytearray(_LENGTH.size)
    _encoder.encode_into(command, frame, _LENGTH.size)
    _LENGTH.pack_into(frame, 0, _checked(len(frame) - _LENGTH.size))
    return frame


def encode_events(events: list[Event]) -> bytes:
    """Some events as one frame."""
    return _frame(_encoder.encode(events))


def decode_command(body: bytes) -> Command:
    """A frame's body as a command. Raises ProtocolError."""
    try:
        command: Command = _commands.decode(body)
    except _NOT_A_MESSAGE as error:
        raise ProtocolError(f"not a command: {error}") from error
    return command


def decode_events(body: bytes) -> list[Event]:
    """A frame's body as events. Raises ProtocolError."""
    try:
        return _events.decode(body)
    except _NOT_A_MESSAGE as error:
        raise ProtocolError(f"not events: {error}") from error


def read_frame(stream: BinaryIO) -> bytes | None:
    """The next frame's body, waiting for it; None at a clean end. Raises ProtocolError."""
    head = stream.read(_LENGTH.size)
    if not head:
        return None
    if len(head) < _LENGTH.size:
        raise ProtocolError("the stream ended inside a frame's length")
    length = _announced(head)
    body = stream.read(length)
    if len(body) < length:
        raise ProtocolError("the stream ended inside a frame")
    return body


class Frames:
    """Bytes as they come, cut into the bodies of frames."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    @property
    def wanted(self) -> int:
        """Bytes of the frame that has begun, its length included; 0: none has. Raises ProtocolError."""
        waiting = self._bytes
        if len(waiting) < _LENGTH.size:
            return _LENGTH.size if waiting else 0
        return _announced(waiting) + _LENGTH.size

    def add(self, data: bytes) -> None:
        """These came."""
        self._bytes += data

    def next(self) -> bytes | None:
        """The next body; None: it isn't all there. Raises ProtocolError."""
        wanted = self.wanted
        if not wanted or len(self._bytes) < wanted:
            return None
        body = bytes(self._bytes[_LENGTH.size : wanted])
        del self._bytes[:wanted]
        return body

    def end(self) -> None:
        """No more comes. Raises ProtocolError inside a frame."""
        if self._bytes:
            where = " frame" if len(self._bytes) >= _LENGTH.size else " frame’s length"
            raise CutOffError(f"the stream ended inside a{where}")


def _announced(head: bytes | bytearray) -> int:
    """The length of the body that comes after these bytes. Raises ProtocolError."""
    (length,) = _LENGTH.unpack_from(head)
    if length > MAX_FRAME:
        raise ProtocolError(f"a frame of {length} bytes, more than {MAX_FRAME}")
    return int(length)


def _frame(body: bytes) -> bytes:
    return _LENGTH.pack(_checked(len(body))) + body


def _checked(length: int) -> int:
    if length > MAX_FRAME:
        raise ProtocolError(f"a message of {length} bytes, more than {MAX_FRAME}")
    return length
