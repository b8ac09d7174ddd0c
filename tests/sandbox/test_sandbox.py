"""What the sandbox tells of programs that mean no harm, and what becomes of them when nobody waits any more."""

import asyncio
import os
import shutil
import sys

import anyio
import anyio.lowlevel
import pytest
from sandbox.machine import processes_with

from orchestrator.errors import InvalidInputError, SandboxMissingError
from orchestrator.sandbox import (
    Assertion,
    Bubblewrap,
    Call,
    Limits,
    Program,
    Sandbox,
    Script,
    Status,
    UnsafeLocal,
    bubblewrap,
    equal,
)
from orchestrator.sandbox.seccomp import filter_of_system_calls

ADD = "def add(a, b):\n    return a + b\n"


@pytest.fixture(params=["bubblewrap", "unsafe_local"])
def either(request, limits):
    if request.param == "unsafe_local":
        return UnsafeLocal(limits=limits)
    if shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed: apt install bubblewrap")
    return Bubblewrap(limits=limits)


async def messages(box, code, *tests):
    result = await box.run(Program(code=code, tests=tests))
    return [(str(test.status), test.message) for test in result.tests]


async def test_a_right_program_passes_and_a_wrong_one_is_told_how(either):
    assert isinstance(either, Sandbox)
    tests = [
        Call(call="add(2, 3)", expected=5),
        Call(call="add(2, 3)", expected=6),
        Assertion(source="assert add(2, 3) == 6"),
        Assertion(source="assert not add(2, 3)"),
        Assertion(source="assert add(2, 3) < add(1, 1), 'sums grow'"),
        Assertion(
            source="def check(candidate):\n    for i in range(3):\n        assert candidate(i, i) == i",
            entry_point="add",
        ),
    ]
    assert await messages(either, ADD, *tests) == [
        ("passed", ""),
        ("failed", "add(2, 3) gave 5, expected 6"),
        ("failed", "assert add(2, 3) == 6 failed: got 5"),
        ("failed", "assert not add(2, 3) failed: got 5"),
        ("failed", "assert add(2, 3) < add(1, 1) failed: got 5 and 2 (sums grow)"),
        ("failed", "assert add(i, i) == i failed: got 2 and 1"),
    ]


async def test_exceptions_come_with_the_programs_line(either):
    code = "def half(x):\n    if x == 0:\n        raise ValueError('zero')\n    return 1 / (x - 1)\n"
    result = await either.run(
        Program(code=code, tests=[Call(call="half(1)", expected=0), Assertion(source="assert half(0) == 1")])
    )
    assert [(test.status, test.line) for test in result.tests] == [
        (Status.EXCEPTION, 4),
        (Status.EXCEPTION, 3),
    ]
    assert (
        result.tests[0].message
        == "half(1) raised ZeroDivisionError: division by zero (line 4: return 1 / (x - 1))"
    )
    assert result.first_failure is result.tests[0]
    assert result.share == 0.0


async def test_a_program_that_does_not_load_says_why(either):
    test = Call(call="f()", expected=1)
    assert await messages(either, "def f(:", test) == [
        ("syntax", "SyntaxError: invalid syntax (line 1: def f(:)")
    ]
    loading = "x = 1\nimport no_such_module"
    [(status, message)] = await messages(either, loading, test)
    assert status == "exception"
    assert message.startswith("the program failed to load: ModuleNotFoundError")
    assert "line 2" in message


async def test_one_test_that_hangs_or_crashes_hides_no_other(either):
    code = "import os\ndef f(x):\n    while x == 0: pass\n    if x == 1: os.abort()\n    return x"
    tests = [Call(call=f"f({x})", expected=x) for x in (2, 0, 3, 1, 4)]
    result = await either.run(Program(code=code, tests=tests))
    assert [str(test.status) for test in result.tests] == ["passed", "timeout", "passed", "killed", "passed"]
    assert result.tests[3].message == "the program was killed by signal SIGABRT"


async def test_scripts_read_and_print(either):
    code = "import sys\nprint(sum(map(int, sys.stdin.read().split())), ' ')\nprint(open(0).read())"
    assert await messages(either, code, Script(stdin="1 2\n3", stdout="6"), Script(stdin="", stdout="1")) == [
        ("passed", ""),
        ("failed", "line 1 of the output is '0', expected '1'"),
    ]
    long = Script(stdin="1 " * 100_000, stdout="100000")
    assert await messages(either, code, long) == [("passed", "")]
    assert await messages(either, "raise SystemExit(3)", Script(stdout="")) == [
        ("exception", "the program raised SystemExit: 3 (line 1: raise SystemExit(3))")
    ]
    assert await messages(either, "import os\nprint('x', flush=True)\nos._exit(0)", Script(stdout="x")) == [
        ("passed", "")
    ]


async def test_each_test_meets_a_fresh_program(either):
    code = "seen = []\ndef f(x):\n    seen.append(x)\n    return len(seen)"
    tests = [
        Call(call="f(1)", expected=1),
        Call(call="f(1) + f(2)", expected=3),
        Call(call="f(1)", expected=1),
    ]
    assert (await either.run(Program(code=code, tests=tests))).passed


async def test_tests_may_use_objects_changed_arguments_functions_and_exceptions(either):
    code = """
class Stack:
    def __init__(self): self.items = []
    def push(self, item): self.items.append(item)
    def pop(self): return self.items.pop()
    def __len__(self): return len(self.items)
def sort(xs): xs.sort()
def twice(f, x): return f(f(x))
def count():
    n = 0
    while True:
        yield n
        n += 1
def fail(): raise KeyError("k")
def pair(): return (1, {"a": {2, 3}}, 2**100, b"x", 1.5, None)
"""
    tests = [
        "s = Stack()\ns.push([1])\nassert len(s) == 1\nassert s.pop() == [1]\nassert not s\nassert s.items == []",
        "xs = [3, 1, 2]\nsort(xs)\nassert xs == [1, 2, 3]",
        "assert twice(lambda x: x * 2, 3) == 12",
        "c = count()\nassert [next(c), next(c)] == [0, 1]",
        "try:\n    fail()\nexcept KeyError:\n    pass\nelse:\n    assert False",
        "assert pair() == (1, {'a': {2, 3}}, 2**100, b'x', 1.5, None)",
        "assert Stack() != Stack()",
    ]
    result = await either.run(Program(code=code, tests=[Assertion(source=test) for test in tests]))
    assert result.passed, result.first_failure


async def test_a_programs_tables_may_be_of_any_size_and_shape(either):
    code = """
sieve = [True] * 10**6
ring = []
ring.append(ring)
small = [1, 2]
def f(x): return sieve[x]
"""
    tests = [
        Call(call="f(7)", expected=True),
        Assertion(source="assert f(7)\nassert sieve[5] and len(sieve) == 10**6 and ring and small == [1, 2]"),
    ]
    result = await either.run(Program(code=code, tests=tests))
    assert result.passed, result.first_failure


async def test_arguments_may_be_of_any_size_and_results_may_not(either):
    code = """
def total(xs): return sum(xs)
def sort(xs): xs.sort()
def twice(f, xs): return f(f(xs))
def grow(xs): return xs * 10
"""
    tests = [
        Call(call="total(list(range(20_000)))", expected=199_990_000),
        Assertion(source="assert total(list(range(200_000))) == 19_999_900_000"),
        Assertion(source="xs = list(range(20_000))[::-1]\nsort(xs)\nassert xs[:2] == [0, 1]"),
        Assertion(source="assert twice(lambda xs: xs + [1], list(range(20_000)))[-1] == 1"),
        Assertion(source="assert grow(list(range(10_000)))"),
        Call(call="twice(lambda xs: xs, list(range(20_000)))", expected=None),
    ]
    result = await either.run(Program(code=code, tests=tests))
    assert [test.passed for test in result.tests] == [True] * 4 + [False] * 2, result.first_failure
    assert "at most" in result.tests[4].message
    assert "the result has" in result.tests[4].message
    assert (result.tests[5].status, result.tests[5].message) == (
        Status.OUTPUT,
        "a result has 128,895 bytes, at most 69,632",
    )


async def test_code_too_long_to_be_read_is_refused(either):
    long = "x = 1\n" * 200_000
    test = Call(call="1", expected=1)
    told = ("syntax", "the program has 1,200,000 characters, at most 1,048,576")
    assert await messages(either, long, test, test) == [told] * 2
    for wrong in (Assertion(source=long), Call(call=long, expected=1)):
        with pytest.raises(InvalidInputError, match="test 2 has 1,200,000 characters of code"):
            await either.run(Program(code=ADD, tests=[test, wrong]))


async def test_a_byte_order_mark_is_not_the_programs(either):
    assert await messages(either, "\ufeff" + ADD, Call(call="add(1, 2)", expected=3)) == [("passed", "")]


async def test_messages_can_be_stored_whatever_the_program_says(either):
    code = "def f(): raise ValueError('a' + chr(0xd800) + 'b')"
    [(status, message)] = await messages(either, code, Call(call="f()", expected=1))
    assert status == "exception"
    assert message.startswith("f() raised ValueError: a?b")


async def test_what_is_read_can_be_any_text(either):
    assert await messages(either, "print(input())", Script(stdin="a\ud800b", stdout="a?b")) == [
        ("passed", "")
    ]


async def test_no_tests_pass(either):
    result = await either.run(Program(code=ADD, tests=[]))
    assert result.passed
    assert result.tests == ()


async def test_all_tests_together_have_a_time_of_their_own(limits, box):
    short = Bubblewrap(limits=Limits(seconds=1, total_seconds=1.5))
    code = "def f():\n    while True: pass"
    result = await short.run(Program(code=code, tests=[Call(call="f()", expected=1)] * 5))
    assert [str(test.status) for test in result.tests] == ["timeout"] * 5
    assert "all tests took longer than 1.5 seconds" in result.tests[-1].message


async def test_their_time_is_one_however_many_sandboxes_they_take(limits):
    """Each test spins for a while and then ends its sandbox, so that the next one needs another."""
    if shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed: apt install bubblewrap")
    code = """
import os, time
def f():
    time.sleep(0.6)
    for pid in range(2, 50):
        if pid != os.getpid():
            try:
                os.kill(pid, 9)
            except OSError:
                pass
"""
    short = Bubblewrap(limits=Limits(seconds=5, total_seconds=1))
    result = await short.run(Program(code=code, tests=[Call(call="f()", expected=1)] * 4))
    assert result.tests[0].status is Status.KILLED
    assert [str(test.status) for test in result.tests[2:]] == ["timeout"] * 2
    assert result.tests[3].message == "all tests took longer than 1 seconds"


@pytest.mark.skipif(os.getuid() != 0, reason="only programs that root starts have users of their own")
async def test_no_two_programs_have_one_user_and_the_last_waits_for_one(limits, monkeypatch):
    if shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed: apt install bubblewrap")
    monkeypatch.setattr(bubblewrap, "FREE_UIDS", range(60578, 60580))
    code = "import os, time\ndef f():\n    time.sleep(0.2)\n    return os.getuid()"
    wide = Bubblewrap(limits=limits, slots=4)
    users = []

    async def one():
        result = await wide.run(Program(code=code, tests=[Call(call="f() in (60578, 60579)", expected=True)]))
        users.append(result.passed)

    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(one)
    assert users == [True] * 4
    assert not bubblewrap._uids_in_use


async def test_users_are_taken_once_each_and_waited_for(monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 0)
    monkeypatch.setattr(bubblewrap, "FREE_UIDS", range(60578, 60580))
    monkeypatch.setattr(bubblewrap, "LOOK_SECONDS", 0)
    given = []

    async def third():
        async with bubblewrap._an_own_user() as uid:
            given.append(uid)

    async with anyio.create_task_group() as tasks, bubblewrap._an_own_user() as first:
        async with bubblewrap._an_own_user() as second:
            tasks.start_soon(third)
            for _ in range(5):
                await anyio.lowlevel.checkpoint()
            assert not given
        assert {first, second} == {60578, 60579}
        while not given:
            await anyio.lowlevel.checkpoint()
    assert given == [second]


async def test_cancelling_kills_the_tree_and_gives_the_slot_back(box):
    code = (
        f"import ctypes\nctypes.CDLL(None).prctl(15, b'kept-{os.getpid()}')\ndef f():\n    while True: pass"
    )
    program = Program(code=code, tests=[Call(call="f()", expected=1)])
    only = Bubblewrap(limits=box.limits, slots=1)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(only.run, program)
        while not processes_with(f"kept-{os.getpid()}"):
            await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    assert processes_with(f"kept-{os.getpid()}") == []
    assert (await only.run(Program(code=ADD, tests=[Call(call="add(1, 2)", expected=3)]))).passed


@pytest.mark.parametrize("passes", [0, 1, 3, 8, 20])
async def test_cancelling_again_while_it_is_ended_leaves_nothing_behind(box, passes):
    name = f"again-{os.getpid()}-{passes}"[:15]
    code = f"import ctypes\nctypes.CDLL(None).prctl(15, b'{name}')\ndef f():\n    while True: pass"
    running = asyncio.create_task(box.run(Program(code=code, tests=[Call(call="f()", expected=1)])))
    while not processes_with(name):
        await anyio.lowlevel.checkpoint()
    running.cancel()
    for _ in range(passes):
        await anyio.lowlevel.checkpoint()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert processes_with(name) == []


async def test_cancelling_an_unsafe_run_leaves_neither_program_nor_test(limits):
    name = f"left-{os.getpid()}"
    code = f"import ctypes, time\nctypes.CDLL(None).prctl(15, b'{name}')\ndef f(): time.sleep(100)"
    program = Program(code=code, tests=[Call(call="f()", expected=1)])
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(UnsafeLocal(limits=limits).run, program)
        while not processes_with(name):
            await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    with anyio.fail_after(5):  # the kernel tells them when the driver is gone
        while processes_with(name):
            await anyio.lowlevel.checkpoint()


async def test_folders_of_packages_can_be_lent(box, tmp_path):
    package = tmp_path / "lent_package.py"
    package.write_text("value = 7")
    tmp_path.chmod(0o755)
    lending = Bubblewrap(limits=box.limits, packages=(str(tmp_path),))
    result = await lending.run(
        Program(
            code="import lent_package\ndef f(): return lent_package.value",
            tests=[Call(call="f()", expected=7)],
        )
    )
    assert result.passed, result.first_failure


async def test_another_interpreter_can_be_used(box):
    other = Bubblewrap(limits=box.limits, python=sys.executable)
    assert (await other.run(Program(code=ADD, tests=[Call(call="add(1, 2)", expected=3)]))).passed


async def test_a_bubblewrap_that_may_not_work_is_told(tmp_path, monkeypatch):
    refusing = tmp_path / "bwrap"
    refusing.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(
        SandboxMissingError, match=r"No permissions to create new namespace[^$]*apt install bubblewrap"
    ):
        await Bubblewrap().run(Program(code=ADD, tests=[Call(call="add(1, 2)", expected=3)]))


@pytest.mark.parametrize(
    "wrong",
    [
        {"seconds": 0},
        {"memory_bytes": 1},
        {"processes": 0},
        {"output_bytes": 10},
        {"total_seconds": float("inf")},
    ],
)
def test_limits_out_of_range_are_refused(wrong):
    with pytest.raises(InvalidInputError, match=next(iter(wrong))):
        Limits(**wrong)


def test_options_that_make_no_sense_are_refused():
    with pytest.raises(InvalidInputError, match="slots must be at least 1"):
        Bubblewrap(slots=0)
    with pytest.raises(InvalidInputError, match="there is no '/nowhere'"):
        Bubblewrap(packages=("/nowhere",))


@pytest.mark.parametrize(
    ("value", "expected", "same"),
    [
        ((1, [2]), [1, [2]], True),
        ({1: "a"}, {"1": "a"}, True),
        (1.0, 1, True),
        (True, 1, False),
        (1, True, False),
        (float("nan"), float("nan"), True),
        ({1, 2}, [1, 2], False),
        (None, None, True),
        ("1", 1, False),
        ({"a": (1,)}, {"a": [1]}, True),
        ({"a": 1}, {"b": 1}, False),
    ],
)
def test_values_are_compared_as_json_knows_them(value, expected, same):
    assert equal(value, expected) is same


def test_the_filter_of_system_calls_is_whole_instructions():
    for machine in ("x86_64", "aarch64"):
        program = filter_of_system_calls(machine)
        assert program is not None
        assert len(program) % 8 == 0
    assert filter_of_system_calls("unheard-of") is None
