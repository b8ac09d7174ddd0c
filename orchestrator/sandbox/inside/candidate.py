"""The process a program under test runs in. Nothing here is trusted by anybody: the program can change it all."""

from __future__ import annotations

import builtins
import contextlib
import sys
from typing import Any

from .peer import Channel, LostError, Peer, TooLargeError

__all__ = ["FILE", "describe", "rebuild", "run_script", "serve"]

FILE = "<program>"
"""The program's file name in tracebacks."""


def serve(code: str, channel: Channel) -> None:
    """Load the program, say which names it has, then do what the tests ask."""
    peer = Peer(channel, opens=True, describe=lambda error: describe(error, code), raised=rebuild)
    namespace: dict[str, Any] = {"__name__": "solution", "__builtins__": builtins}
    try:
        exec(compile(code, FILE, "exec"), namespace)
    except BaseException as error:
        channel.send({"raised": describe(error, code)})
        return
    names, modules = {}, {}
    for name, value in list(namespace.items()):
        if isinstance(value, type(sys)):
            modules[name] = value.__name__
        elif not name.startswith("__"):
            # Plain data is asked for by the tests that use it: a table may be larger than a message.
            names[name] = [peer.hand_out(value), callable(value)]
    channel.send({"names": names, "modules": modules})
    while True:
        try:
            peer.answer(channel.receive())
        except (LostError, TooLargeError):
            return


def run_script(code: str, channel: Channel) -> None:
    """Run the program as a script and say how it ended, if it ends here at all."""
    ended: dict[str, Any] = {}
    try:
        exec(compile(code, FILE, "exec"), {"__name__": "__main__", "__builtins__": builtins})
    except SystemExit as error:
        if error.code not in (None, 0):
            ended = {"raised": describe(error, code)}
    except BaseException as error:
        ended = {"raised": describe(error, code)}
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    channel.send(ended)


def describe(error: BaseException, code: str = "") -> dict[str, Any]:
    """What an exception was, with the last line of the program it came through."""
    told: dict[str, Any] = {"type": type(error).__name__, "message": _message(error)}
    told["bases"] = [base.__name__ for base in type(error).__mro__]
    line = error.lineno if isinstance(error, SyntaxError) and error.filename == FILE else None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILE:
            line = trace.tb_lineno
        trace = trace.tb_next
    lines = code.split("\n")
    if line is not None and 0 < line <= len(lines):
        told |= {"line": line, "source": lines[line - 1].strip()[:200]}
    return told


def _message(error: BaseException) -> str:
    try:
        text = error.msg if isinstance(error, SyntaxError) else str(error)
    except BaseException:
        return ""
    return str(text)[:500]


def rebuild(told: dict[str, Any]) -> BaseException:
    """An exception like the one described: its own built-in class, or its nearest built-in ancestor."""
    for name in (told["type"], *told.get("bases", ())):
        kind = getattr(builtins, str(name), None)
        if isinstance(kind, type) and issubclass(kind, Exception):
            break
    else:
        kind = RuntimeError
    try:
        error = kind(told["message"])
    except TypeError:  # UnicodeDecodeError and its like take more
        error = RuntimeError(told["message"])
    error.told = told  # type: ignore[attr-defined]
    return error
