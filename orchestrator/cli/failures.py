"""How commands end when something goes wrong: a message on stderr and an exit code.

0    done
1    an expected failure: a bad file, no endpoint, a budget too small for one call
2    wrong usage
3    a bug
130  Ctrl-C (143: SIGTERM)
141  whoever read the output went away (as for programs that SIGPIPE ends)
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
import traceback
from collections.abc import Callable

from ..errors import OrchestratorError
from ..excerpts import harmless

__all__ = ["BROKEN_PIPE", "BUG", "DEBUG_VARIABLE", "FAILED", "complain", "guarded", "quiet_stdout"]

FAILED, BUG, BROKEN_PIPE = 1, 3, 141
DEBUG_VARIABLE = "ORCHESTRATOR_DEBUG"

OUTPUT_LOST = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""What writing to stdout fails with when its disk or terminal is the matter; other files have errors of their own."""


def guarded(command: Callable[[], int]) -> int:
    """The exit code of `command`; what it raises becomes a message, with a traceback when debugging."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a model may write what a terminal cannot show
    try:
        code = command()
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        quiet_stdout()
        return BROKEN_PIPE
    except KeyboardInterrupt:
        complain("interrupted")
        return 130
    except OrchestratorError as error:
        if _debugging():
            traceback.print_exc()
        complain(f"error: {error}")
        return FAILED
    except OSError as error:
        if error.errno not in OUTPUT_LOST:
            return _bug(error)
        quiet_stdout()
        complain(f"error: the output cannot be written: {error.strerror}; make room, then run it again")
        return FAILED
    except Exception as error:
        return _bug(error)


def _bug(error: Exception) -> int:
    hint = "" if _debugging() else "\nrun the command again with --debug for the traceback"
    if _debugging():
        traceback.print_exc()
    what = f"{type(error).__name__}: {error}"
    complain(f"this is a bug in orchestrator, please report it: {what}{hint}")
    return BUG


def _debugging() -> bool:
    return os.environ.get(DEBUG_VARIABLE, "") not in ("", "0")


def complain(message: str) -> None:
    """Print `message` on stderr, if anybody can still read it."""
    with contextlib.suppress(OSError, ValueError):
        print(harmless(message), file=sys.stderr, flush=True)


def quiet_stdout() -> None:
    """Send what is still buffered for stdout nowhere, so that the interpreter's exit stays silent."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
