"""Calls between the process that runs a program and the one that runs its tests: JSON over a socket.

Arguments and results are copied as plain data. A result that is not plain stays where it is, and the tests get a
`Remote`: its methods can be called and its attributes read, and it equals nothing but itself, so that no class of
the program's decides whether a test has passed. A list, mapping or set that the program changed is changed in the
tests too. A function given as an argument is called back.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any, TypeVar

from .values import NotPlainError, decode, encode

T = TypeVar("T", int, str)

__all__ = ["Channel", "Described", "LostError", "Peer", "Remote", "TooLargeError"]

Described = Callable[[BaseException], "dict[str, Any]"]
"""Says what an exception was: `type`, `message`, and where it is known `line` and `source`."""


class LostError(Exception):
    """The other process is gone."""


class TooLargeError(Exception):
    """A message above the limit."""


class Channel:
    """Messages, each preceded by its length. What comes from the program is limited, what the tests give it is not.

    A program may change its arguments and send them back changed, so that its messages may be longer than the
    limit by the longest that the tests have sent.

    Args:
        fd: The socket.
        limit: Bytes of a message from the program.
        of_program: Whether this end is the program's.
    """

    def __init__(self, fd: int, limit: int, *, of_program: bool) -> None:
        self.fd, self.limit, self.of_program = fd, limit, of_program
        self._given = 0  # bytes of the longest message of the tests'

    def send(self, message: Any) -> None:
        """Send it, however long that takes."""
        body = json.dumps(message).encode()
        self._note(len(body), from_program=self.of_program)
        data = memoryview(len(body).to_bytes(4, "big") + body)
        try:
            while data:
                data = data[os.write(self.fd, data) :]
        except OSError:
            raise LostError from None

    def receive(self) -> Any:
        """The next message."""
        length = int.from_bytes(self._exactly(4), "big")
        self._note(length, from_program=not self.of_program)
        return json.loads(self._exactly(length))

    def _note(self, length: int, *, from_program: bool) -> None:
        if not from_program:
            self._given = max(self._given, length)
        elif length > (most := self.limit + self._given):
            raise TooLargeError(f"{length:,} bytes, at most {most:,}")

    def _exactly(self, count: int) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            try:
                part = os.read(self.fd, count - len(parts))
            except OSError:
                part = b""
            if not part:
                raise LostError
            parts += part
        return bytes(parts)


class Peer:
    """One side. `opens` says whether the other side may read attributes of what this one hands out.

    Args:
        channel: To the other side.
        opens: True on the program's side. The tests' side gives functions to be called and nothing else, for a
            function's attributes lead to everything its module knows.
        describe: What an exception was, for the other side.
        raised: Makes an exception of such a description.
    """

    def __init__(
        self,
        channel: Channel,
        *,
        opens: bool,
        describe: Described,
        raised: Callable[[dict[str, Any]], BaseException],
    ) -> None:
        self.channel, self.opens, self._describe, self._raised = channel, opens, describe, raised
        self._objects: list[Any] = []

    def hand_out(self, value: Any) -> Any:
        """A reference to `value` for the other side."""
        if not self.opens and not callable(value):
            raise NotPlainError(f"a value of type {type(value).__name__} cannot be given to the program")
        self._objects.append(value)
        return ["o", len(self._objects) - 1]

    def encode(self, value: Any) -> Any:
        """`value` for the other side."""
        return encode(value, self._encode_other)

    def _encode_other(self, value: Any) -> Any:
        if type(value) is Remote:
            return ["own", object.__getattribute__(value, "_Remote__id")]
        return self.hand_out(value)

    def decode(self, value: Any) -> Any:
        """What the other side means by `value`."""
        return decode(value, self._decode_other)

    def _decode_other(self, mark: str, number: Any) -> Any:
        if mark == "own":
            return self._objects[number]
        if mark == "o":
            return Remote(self, number)
        raise ValueError(f"unknown mark {mark!r}")

    # Asking ----------------------------------------------------------------------------------------------

    def ask(self, number: int, name: str | None, args: Any = None, kwargs: Any = None) -> Any:
        """Call object `number`, or its method `name`; without `args` read its attribute `name`."""
        message: dict[str, Any] = {"of": number, "name": name}
        if args is not None:
            message["args"] = [self.encode(value) for value in args]
            message["kwargs"] = {key: self.encode(value) for key, value in (kwargs or {}).items()}
        self.channel.send(message)
        while "of" in (reply := self.channel.receive()):
            self.answer(reply)
        if "raised" in reply:
            error = self._raised(reply["raised"])
            if isinstance(error, StopIteration) and name != "__next__":
                # It would end the test's own loop: all(map(f, cases)) would hold without a case.
                raise RuntimeError("the program raised StopIteration") from error
            raise error
        for place, changed in reply.get("changed", {}).items():
            given = kwargs[place] if place in (kwargs or {}) else args[int(place)]
            _overwrite(given, self.decode(changed))
        return self.decode(reply["value"])

    def answer(self, message: Any) -> None:
        """Do what the other side asks, and reply."""
        try:
            reply = self._done(message)
        except (LostError, TooLargeError):
            raise
        except BaseException as error:
            reply = {"raised": self._describe(error)}
        try:
            self.channel.send(reply)
        except (TooLargeError, RecursionError, MemoryError) as error:
            self.channel.send(
                {"raised": {"type": type(error).__name__, "message": f"the result has {error}"}}
            )

    def _done(self, message: Any) -> dict[str, Any]:
        subject, name = self._objects[message["of"]], message["name"]
        if name is not None:
            if not self.opens:
                raise AttributeError(name)
            if name == "__bool__":  # which few classes define
                return {"value": bool(subject)}
            subject = getattr(subject, name)
        if "args" not in message:
            return {"value": self.encode(subject)}
        args = [self.decode(value) for value in message["args"]]
        kwargs = {key: self.decode(value) for key, value in message["kwargs"].items()}
        value = subject(*args, **kwargs)
        given = {**{str(at): (message["args"][at], arg) for at, arg in enumerate(args)}}
        given |= {key: (message["kwargs"][key], arg) for key, arg in kwargs.items()}
        changed = {
            place: after
            for place, (before, arg) in given.items()
            if isinstance(arg, list | dict | set | bytearray) and (after := self.encode(arg)) != before
        }
        return {"value": self.encode(value), "changed": changed}


class Remote:
    """Something of the program's that is not plain data."""

    def __init__(self, peer: Peer, number: int) -> None:
        self.__peer, self.__id = peer, number

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return self.__peer.ask(self.__id, None, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        return self.__peer.ask(self.__id, name)

    def __len__(self) -> int:
        try:
            return self.__ask_for(int, "__len__")
        except AttributeError as error:  # list() asks generators too, and takes a TypeError for "none"
            without = TypeError("an object of the program's has no len()")
            without.told = getattr(error, "told", None)  # type: ignore[attr-defined]
            raise without from error

    def __bool__(self) -> bool:
        return bool(self.__ask_for(int, "__bool__"))

    def __str__(self) -> str:
        return self.__ask_for(str, "__str__")

    def __iter__(self) -> Any:
        return self.__peer.ask(self.__id, "__iter__", ())

    def __next__(self) -> Any:
        return self.__peer.ask(self.__id, "__next__", ())

    def __getitem__(self, key: Any) -> Any:
        return self.__peer.ask(self.__id, "__getitem__", (key,))

    def __setitem__(self, key: Any, value: Any) -> None:
        self.__peer.ask(self.__id, "__setitem__", (key, value))

    def __repr__(self) -> str:
        return "<an object of the program's>"

    def __ask_for(self, kind: type[T], name: str) -> T:
        value = self.__peer.ask(self.__id, name, ())
        if not isinstance(value, kind):
            raise TypeError(f"{name} gave a {type(value).__name__}, not {kind.__name__}")
        return value


def _overwrite(given: Any, changed: Any) -> None:
    """Make `given` what the program made of its copy."""
    if isinstance(given, list | bytearray):
        given[:] = changed
    else:
        given.clear()
        given.update(changed)
