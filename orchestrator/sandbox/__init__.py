"""Running programs nobody has read, and telling whether they pass their tests.

`Bubblewrap` is the sandbox; `UnsafeLocal` has its limits and none of its walls. A program runs in namespaces of its
own: no network, no user's files, a read-only system with the interpreter in it, `/tmp` in memory, an empty
environment, no capabilities, no way to new ones, a filter of system calls; its time, memory, processes, files and
output are limited, and when it is ended everything it has started has ended.

The program does not learn what it is tested against, and does not say whether it has passed:

- Of a `Call` or a `Script` only the input enters the sandbox. What comes out is data, compared outside.
- The code of an `Assertion` has to enter. It runs in a process of its own, which the program can neither read nor
  trace; there the program's functions are stubs, which pass plain data to the program's process and back. An
  object that is not plain data stays with the program, and the tests get a reference that equals nothing but
  itself. Ending with exit code 0, printing, or changing modules and built-ins changes the program's process only.

What is not protected:

- A bug in the Linux kernel, or in bubblewrap, is a way out. For programs somebody writes to attack you, add a
  virtual machine.
- Neighbours: a program takes a core and memory bandwidth for as long as it may, and can learn from timing what
  others do on the machine. It sees how many processors and how much memory there are, and which interpreter.
- Memory held in the kernel for open pipes and sockets counts against no limit but their number; the memory of all
  processes together is looked at 20 times a second, and can be overshot between two looks.
- On a machine that is neither x86-64 nor 64-bit ARM there is no filter of system calls. Shared memory without
  a file, which it refuses (`mmap.mmap(-1, n)` is of that kind), then counts by its mapped pages only.
- Tests that call for more than they define: where a test uses a helper of the program's (`poly` in `poly(xs, f(xs))`)
  the program decides what the helper does. Built-ins and standard modules are never taken from the program.
- A test's inputs: a program may remember them between its own tests only by leaving files in `/tmp`, and it may
  hold answers it has learnt by heart.
- Tests of objects see references: `isinstance`, arithmetic and comparison on them do not work.
"""

from __future__ import annotations

from .bubblewrap import Bubblewrap
from .limits import Limits
from .program import (
    LONGEST_SOURCE,
    Assertion,
    Call,
    Program,
    RunResult,
    Sandbox,
    Script,
    Status,
    Test,
    TestResult,
    equal,
)
from .unsafe_local import UnsafeLocal

__all__ = [
    "LONGEST_SOURCE",
    "Assertion",
    "Bubblewrap",
    "Call",
    "Limits",
    "Program",
    "RunResult",
    "Sandbox",
    "Script",
    "Status",
    "Test",
    "TestResult",
    "UnsafeLocal",
    "equal",
]
