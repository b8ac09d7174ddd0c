"""What runs inside a sandbox: standard library only, sent in as code, never imported from a folder there.

Four kinds of process, so that the program under test never holds what it is tested against:

    driver     reads the job, starts the others, measures, reports; runs nobody's code
    nursery    forked before the driver has read the tests; forks one candidate process per test
    candidate  runs the program; is told names and arguments, answers with plain data (`candidate`)
    examiner   runs the test's code, in which the program's functions are stubs that ask the candidate (`examiner`)

Driver and examiner are not dumpable: a process of the same user can neither trace them nor read their memory.
"""

from __future__ import annotations

__all__: list[str] = []
