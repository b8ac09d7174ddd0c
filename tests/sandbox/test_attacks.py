"""What a program may try, and that it gets nowhere: one test an attack."""

import os
import socket
from pathlib import Path

import anyio
import pytest
from sandbox.machine import processes_with

from orchestrator.sandbox import Assertion, Bubblewrap, Call, Limits, Program, Script, Status, UnsafeLocal

TRIED = """
def tried(do):
    try:
        return do()
    except BaseException as error:
        return type(error).__name__
"""


async def test_it_has_no_network(attack):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code = f"""{TRIED}
import socket, os
def attack():
    return [
        tried(lambda: socket.create_connection(("127.0.0.1", {port}), timeout=1)),
        tried(lambda: socket.create_connection(("1.1.1.1", 53), timeout=1)),
        tried(lambda: socket.getaddrinfo("example.com", 80)),
        [name for _, name in socket.if_nameindex()],
    ]
"""
        result = await attack(code, ["ConnectionRefusedError", "OSError", "gaierror", ["lo"]])
    assert result.passed, result.message


async def test_it_reads_neither_home_nor_passwords(attack, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    secret.chmod(0o644)
    home = Path.home()
    paths = ["/etc/shadow", "/etc/passwd", str(secret), str(home / ".bashrc"), "/home", str(Path(__file__))]
    code = f"""{TRIED}
import os
def attack():
    return [tried(lambda: open(path).read()) for path in {paths!r}], [
        path for path in ("/home", "/etc/ssh", "/var", "/run", "/sys", "/mnt", "/srv")
        if os.path.exists(path)
    ]
"""
    result = await attack(code, [["FileNotFoundError"] * len(paths), []])
    assert result.passed, result.message


async def test_the_environment_is_empty(attack, monkeypatch):
    monkeypatch.setenv("API_KEY", "secret")
    code = "import os\ndef attack(): return sorted(os.environ)"
    assert (await attack(code, ["HOME", "LANG", "PWD"])).passed


async def test_it_writes_nowhere_but_in_its_own_tmp(attack):
    code = f"""{TRIED}
import os, sys
def attack():
    places = ["/", "/usr/lib", "/dev", "/etc", sys.prefix, os.path.dirname(os.__file__), "/proc", "/root"]
    wrote = [place for place in places if tried(lambda: open(place + "/x", "w").write("x")) == 1]
    removed = tried(lambda: os.remove(os.__file__))
    return wrote, removed in ("OSError", "PermissionError"), open("/tmp/x", "w").write("x")
"""
    assert (await attack(code, [[], True, 1])).passed
    assert "x" not in os.listdir("/tmp")


async def test_files_are_limited_in_size_and_together(run, attack):
    code = f"""{TRIED}
def fill():
    for number in range(100):
        with open(f"/tmp/{{number}}", "wb") as file:
            file.write(bytes(15 * 2**20))
def attack():
    return tried(lambda: open("/tmp/big", "wb").write(bytes(17 * 2**20))), tried(fill)
"""
    assert (await attack(code, ["OSError", "OSError"])).passed


async def test_a_fork_bomb_stays_within_its_processes(attack, limits):
    """As root as well, whom the kernel's limit on processes does not bind: the program is another user."""
    code = """
import os, time
def attack():
    children = 0
    try:
        while children < 500:
            if os.fork() == 0:
                time.sleep(60)
            children += 1
    except OSError:
        pass
    return children
"""
    assert (await attack(code, limits.processes - 1)).passed


async def test_a_fork_bomb_that_never_stops_is_ended_and_the_tests_after_it_run(run):
    code = """
import os
def attack():
    while True:
        try:
            os.fork()
        except OSError:
            pass
"""
    result = await run(code, Call(call="attack()", expected=None), Call(call="1 + 1", expected=2))
    assert [test.status for test in result.tests] == [Status.TIMEOUT, Status.PASSED]


async def test_threads_count_as_processes(attack, limits):
    code = """
import threading, time
def attack():
    started = 0
    try:
        while started < 500:
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
            started += 1
    except RuntimeError:
        pass
    return started
"""
    assert (await attack(code, limits.processes - 1)).passed


async def test_a_memory_bomb_is_told_as_one(box):
    code = "def attack():\n    x = []\n    while True: x.append(bytearray(2**20))"
    patient = Bubblewrap(limits=Limits(seconds=30, cpu_seconds=30))
    program = Program(code=code, tests=[Call(call="attack()", expected=None)])
    [result] = (await patient.run(program)).tests
    assert result.status is Status.MEMORY
    assert "MemoryError" in result.message


async def test_a_memory_bomb_of_many_processes_is_ended(box):
    code = """
import os, time
def attack():
    for _ in range(5):
        if os.fork() == 0:
            hoard = b"x" * (200 * 2**20)
            time.sleep(60)
    time.sleep(60)
"""
    limits = Limits(seconds=10, memory_bytes=256 * 2**20)
    result = await Bubblewrap(limits=limits).run(
        Program(code=code, tests=[Call(call="attack()", expected=None)])
    )
    assert result.tests[0].status is Status.MEMORY
    assert "processes took more than 268,435,456 bytes" in result.tests[0].message


SHARED = """
import mmap, os, time
def hold(mib):
    held = mmap.mmap(-1, mib * 2**20)
    for page in range(0, len(held), 4096):
        held[page] = 1
    return held
def apart():
    for _ in range(4):
        if os.fork() == 0:
            held = hold(100)
            time.sleep(60)
    time.sleep(60)
def together():
    held = hold(100)
    ready = os.pipe()
    for _ in range(4):
        if os.fork() == 0:
            sum(held[page] for page in range(0, len(held), 4096))
            os.write(ready[1], b"x")
            time.sleep(60)
    for _ in range(4):
        os.read(ready[0], 1)
    time.sleep(0.3)
    return 1
"""


async def test_shared_memory_counts_once_and_not_never():
    """Four processes with 100 MiB each are above the limit; four that share the same 100 MiB are not."""
    limits = Limits(seconds=10, cpu_seconds=10, memory_bytes=256 * 2**20)
    tests = [Call(call="together()", expected=1), Call(call="apart()", expected=1)]
    result = await UnsafeLocal(limits=limits).run(Program(code=SHARED, tests=tests))
    assert [test.status for test in result.tests] == [Status.PASSED, Status.MEMORY]


async def test_shared_memory_without_a_file_cannot_be_had(attack):
    """All of it is kept while one page of it is mapped: no look at the processes tells how much that is."""
    code = f"""{TRIED}
import mmap
def attack():
    return [
        tried(lambda: mmap.mmap(-1, 4096)),
        tried(lambda: mmap.mmap(open("/dev/zero", "r+b").fileno(), 4096)),
        tried(lambda: len(mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))),
    ]
"""
    result = await attack(code, ["PermissionError", "PermissionError", 4096])
    assert result.passed, result.message


async def test_memory_that_no_limit_counts_cannot_be_had(attack):
    code = f"""{TRIED}
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def attack():
    shared = libc.shmget(0, ctypes.c_size_t(2**30), 0o1600)
    return shared, ctypes.get_errno(), tried(lambda: os.memfd_create("x")), tried(
        lambda: [open(f"/dev/shm/{{n}}", "wb").write(bytes(15 * 2**20)) for n in range(100)]
    )
"""
    assert (await attack(code, [-1, 1, "PermissionError", "OSError"])).passed


async def test_kernel_memory_that_no_limit_counts_cannot_be_had(attack):
    code = f"""{TRIED}
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def attack():
    open("/tmp/x", "w").close()
    fd = os.open("/tmp/x", os.O_RDWR)
    return libc.semget(0, 32000, 0o1600), ctypes.get_errno(), [
        tried(lambda: os.setxattr(file, "user.x", bytes(65000), follow_symlinks=follows))
        for file, follows in (("/tmp/x", True), ("/tmp/x", False), (fd, True))
    ]
"""
    assert (await attack(code, [-1, 1, ["PermissionError"] * 3])).passed


async def test_sockets_are_of_families_that_the_network_namespace_holds(attack):
    """A vsock, for one, leads to the virtual machine's host from every network namespace."""
    code = """
import errno, socket
def attack():
    had, errors = [], set()
    for family in range(1, 46):
        try:
            socket.socket(family, socket.SOCK_DGRAM if family == 16 else socket.SOCK_STREAM).close()
            had.append(family)
        except OSError as error:
            errors.add(errno.errorcode[error.errno])
    socket.socketpair()
    return had, sorted(errors)
"""
    result = await attack(code, [[1, 2, 10, 16], ["EAFNOSUPPORT"]])
    assert result.passed, result.message


async def test_an_endless_loop_is_ended(attack):
    result = await attack("def attack():\n    while True: pass", None)
    assert result.status is Status.TIMEOUT
    assert "took longer than 2 seconds" in result.message


async def test_a_loop_that_ignores_every_signal_is_ended(attack):
    code = """
import signal
def attack():
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    while True:
        pass
"""
    assert (await attack(code, None)).status in (Status.TIMEOUT, Status.KILLED)


async def test_cpu_time_is_limited_apart_from_wall_time(box):
    limits = Limits(seconds=20, cpu_seconds=1)
    program = Program(code="def f():\n    while True: pass", tests=[Call(call="f()", expected=None)])
    result = (await Bubblewrap(limits=limits).run(program)).tests[0]
    assert result.status is Status.TIMEOUT
    assert "1 seconds of CPU time" in result.message


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
async def test_endless_output_is_ended(attack, limits, stream):
    code = f"import sys\ndef attack():\n    while True: print('x' * 1000, file=sys.{stream})"
    result = await attack(code, None)
    assert result.status is Status.OUTPUT
    assert len(result.stdout) <= limits.output_bytes + 65536
    assert len(result.stderr) <= 4096


async def test_a_script_that_prints_without_end_is_ended(run):
    result = await run("while True: print('x' * 1000)", Script(stdin="", stdout="x"))
    assert result.tests[0].status is Status.OUTPUT


async def test_a_value_too_large_is_told(attack):
    result = await attack("def attack(): return 'x' * 10**6", "x")
    assert not result.passed
    assert result.status in (Status.OUTPUT, Status.EXCEPTION)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("1 << 100_000", "attack() gave a number too long to be written, expected 1"),
        ("[10**5000]", "attack() gave a number too long to be written, expected 1"),
        ("Decimal('sNaN')", "attack() gave a value that cannot be compared: "),
    ],
)
async def test_a_value_that_cannot_be_compared_or_written_is_told(attack, value, message):
    result = await attack(f"from decimal import Decimal\ndef attack(): return {value}", 1)
    assert result.status is Status.FAILED
    assert result.message.startswith(message)


async def test_it_cannot_kill_those_outside_and_killing_its_testers_fails_its_own_test_only(run):
    code = """
import os
def everybody():
    os.kill(-1, 9)
    return 1
def parents():
    for pid in range(1, 50):
        if pid != os.getpid():
            try:
                os.kill(pid, 9)
            except OSError:
                pass
    return 1
def add(a, b): return a + b
"""
    result = await run(
        code,
        Call(call="add(1, 2)", expected=3),
        Call(call="everybody()", expected=1),
        Call(call="parents()", expected=1),
        Call(call="add(1, 2)", expected=3),
    )
    assert [test.status for test in result.tests] == [
        Status.PASSED,
        Status.KILLED,
        Status.KILLED,
        Status.PASSED,
    ]


async def test_tests_that_were_never_run_have_not_passed(run):
    """A program that passes and takes its sandbox down each time is not run again for all of its tests."""
    code = "import os\ndef f(x):\n    os.kill(os.getppid(), 9)\n    return x if x < 4 else 'wrong'"
    result = await run(code, *[Call(call=f"f({x})", expected=x) for x in range(8)])
    assert not any(test.passed for test in result.tests[4:])


@pytest.mark.parametrize("message", ["b'[' * 60_000", "b'{\"raised\": 5}'", "b'nonsense'"])
async def test_a_script_that_writes_nonsense_to_its_driver_is_judged_by_what_it_prints(run, message):
    code = f"""
import os, sys
frame = sys._getframe()
while "channel" not in frame.f_locals:
    frame = frame.f_back
body = {message}
os.write(frame.f_locals["channel"].fd, len(body).to_bytes(4, "big") + body)
print("x", flush=True)
os._exit(0)
"""
    result = await run(code, Script(stdout="x"), Script(stdout="y"))
    assert [test.status for test in result.tests] == [Status.PASSED, Status.FAILED]


async def test_processes_that_hold_much_memory_are_given_time_to_die(run):
    code = """
import mmap, os, time
def attack():
    ready = os.pipe()
    for _ in range(6):
        if os.fork() == 0:
            held = mmap.mmap(-1, 100 * 2**20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            for page in range(0, len(held), 4096):
                held[page] = 1
            os.write(ready[1], b"x")
            time.sleep(60)
    for _ in range(6):
        os.read(ready[0], 1)
    return 1
"""
    result = await run(code, Call(call="attack()", expected=1))
    assert result.tests[0].status in (Status.PASSED, Status.MEMORY, Status.TIMEOUT), result.tests[0].message


async def test_links_lead_nowhere(attack, tmp_path):
    outside = tmp_path / "outside"
    outside.write_text("secret")
    code = f"""{TRIED}
import os
def attack():
    os.symlink({str(outside)!r}, "/tmp/link")
    os.symlink("/proc/1/root", "/tmp/root")
    os.symlink("/etc/shadow", "/tmp/shadow")
    return [
        tried(lambda: open("/tmp/link").read()),
        tried(lambda: open("/tmp/shadow").read()),
        tried(lambda: os.link(os.__file__, "/tmp/hard")),
        tried(lambda: open("/tmp/root" + {str(outside)!r}).read()),
        tried(lambda: os.listdir("/proc/1/cwd")),
    ]
"""
    result = await attack(
        code, ["FileNotFoundError", "FileNotFoundError", "OSError", "PermissionError", "PermissionError"]
    )
    assert result.passed, result.message
    assert outside.read_text() == "secret"


async def test_a_daemon_is_gone_when_the_run_is(run):
    name = f"daemon-{os.getpid()}"[:15]
    code = f"""
import os, time, ctypes
def attack():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            ctypes.CDLL(None).prctl(15, {name!r}.encode(), 0, 0, 0)
            open("/tmp/there", "w").close()
            while True:
                time.sleep(1)
        os._exit(0)
    while not os.path.exists("/tmp/there"):
        time.sleep(0.001)
    while True:
        time.sleep(1)
"""
    result = await run(code, Call(call="attack()", expected=None))
    assert result.tests[0].status is Status.TIMEOUT
    assert processes_with(name) == []


async def test_a_daemon_of_one_test_does_not_see_the_next(run):
    code = """
import os, time
def leave():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(60)
        os._exit(0)
    os.wait()
    return 1
def others():
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) > os.getpid() + 1]
"""
    result = await run(code, Call(call="leave()", expected=1), Call(call="others()", expected=[]))
    assert result.passed, result.first_failure


SECRET = "51973000000000001"

SEARCH = """
import gc, sys, os, inspect

def attack(*_):
    needle = "51973" + "0" * int("11") + "1"  # not a constant of this function's
    found, seen = [], []
    for thing in gc.get_objects():
        try:
            if not isinstance(thing, type(sys)) and needle in repr(thing):
                found.append("gc")
        except BaseException:
            pass
    frame = inspect.currentframe()
    while frame is not None:
        if needle in repr({k: v for k, v in frame.f_locals.items() if k not in ("needle", "found", "seen")}).replace(
            "needle", ""
        ) and frame.f_code.co_name != "attack":
            found.append("frame " + frame.f_code.co_name)
        frame = frame.f_back
    for pid in os.listdir("/proc"):
        if not pid.isdigit():
            continue
        own = int(pid) == os.getpid()
        for name in ("cmdline", "environ"):
            try:
                if needle.encode() in open(f"/proc/{pid}/{name}", "rb").read():
                    found.append(name)
            except OSError:
                pass
        try:
            memory = open(f"/proc/{pid}/mem", "rb", 0)
            if not own:
                found.append(f"memory of {pid}")
        except OSError:
            pass
        try:
            for fd in os.listdir(f"/proc/{pid}/fd"):
                if not own:
                    found.append(f"descriptors of {pid}")
        except OSError:
            pass
    import ctypes
    libc = ctypes.CDLL(None)
    for pid in os.listdir("/proc"):
        if pid.isdigit() and int(pid) not in (1, os.getpid()) and libc.ptrace(16, int(pid), 0, 0) == 0:
            found.append(f"traced {pid}")
    for fd in range(3, 64):
        try:
            if needle.encode() in os.pread(fd, 10**6, 0):
                found.append(f"descriptor {fd}")
        except OSError:
            pass
    return found
"""


async def test_what_is_expected_cannot_be_found(run):
    """Not in the program's memory, not in its frames, not in another process, not through a descriptor."""
    secret = int(SECRET)
    result = await run(
        SEARCH,
        Call(call="attack()", expected=[]),
        Call(call="attack()", expected=secret),
        Assertion(source=f"expected = {secret}\nassert attack() == []\nassert expected == {secret}"),
        Assertion(
            source=f"def check(candidate):\n    assert candidate({1}) == [], {secret}", entry_point="attack"
        ),
    )
    assert [test.status for test in result.tests] == [
        Status.PASSED,
        Status.FAILED,
        Status.PASSED,
        Status.PASSED,
    ], [test.message for test in result.tests]


async def test_the_search_would_find_it_if_it_were_there(run):
    result = await run(f"kept = [{SECRET}]\n{SEARCH}", Assertion(source="assert 'gc' in attack()"))
    assert result.passed, result.first_failure


FORGERIES = {
    "ending with success": "import os\nos._exit(0)",
    "leaving": "import sys\nsys.exit(0)",
    "ending in the function": "import os\ndef f(x): os._exit(0)",
    "leaving in the function": "import sys\ndef f(x): sys.exit(0)",
    "at the end": "import atexit, os\natexit.register(lambda: os._exit(0))\ndef f(x): raise SystemExit(0)",
    "printing": 'def f(x): print(\'passed\'); print(\'{"test": 0, "status": "passed"}\')',
    "an object equal to all": "class Yes:\n    def __eq__(self, other): return True\n    __hash__ = None\n"
    "    def __ne__(self, other): return False\n    def __bool__(self): return True\ndef f(x): return Yes()",
    "a number equal to all": "class Yes(int):\n    def __eq__(self, other): return True\n"
    "    def __hash__(self): return 0\ndef f(x): return Yes(1)",
    "a list equal to all": "class Yes(list):\n    def __eq__(self, other): return True\ndef f(x): return Yes()",
    "changed built-ins": "import builtins\nbuiltins.AssertionError = Exception\nbuiltins.abs = lambda x: 0\n"
    "builtins.all = lambda x: True\nbuiltins.isinstance = lambda *a: True\ndef f(x): return 1",
    "own built-ins": "def abs(x): return 0\ndef all(x): return True\ndef f(x): return 1",
    "own modules": "class math:\n    isclose = lambda *a: True\n    fabs = lambda x: 0\ndef f(x): return 1",
    "a changed interpreter": 'import sys, json\njson.dumps = lambda *a, **k: \'{"status": "passed"}\'\n'
    "sys.modules['inside.driver'].__dict__.clear()\ndef f(x): return 1",
    "writing to every descriptor": "import os\ndef f(x):\n    for fd in range(64):\n        try:\n"
    '            os.write(fd, b\'{"status": "passed"}\\n{"test": 0, "status": "passed"}\\n\')\n'
    "        except OSError: pass\n    return 1",
    "its own check": "def check(candidate): pass\n__failed__ = print\ndef f(x): return 1",
    "built-ins for the tests": """
import sys
frame = sys._getframe()
while "channel" not in frame.f_locals:
    frame = frame.f_back
channel, peer = frame.f_locals["channel"], frame.f_locals["peer"]
class Anything:
    isclose = lambda *a: True
def f(x): return 1
own = ["d", ["__import__", peer.hand_out(lambda *a: Anything())], ["abs", peer.hand_out(lambda x: 0)]]
kept = peer.hand_out(f)
channel.send({"names": {"f": [kept, True], "__builtins__": [own, True]}, "modules": {}})
while True:
    peer.answer(channel.receive())
""",
    "an assertion's name": "def __failed__(*a): return Exception\ndef f(x): return 1",
}


@pytest.mark.parametrize("how", FORGERIES)
async def test_a_verdict_cannot_be_forged(run, how):
    result = await run(
        FORGERIES[how],
        Call(call="f(3)", expected=7),
        Assertion(source="assert f(3) == 7"),
        Assertion(source="assert abs(f(3) - 7) < 1e-6"),
        Assertion(source="import math\nassert math.isclose(f(3), 7)"),
        Assertion(
            source="def check(candidate):\n    assert candidate(3) == 7\n    assert 7 == candidate(3)",
            entry_point="f",
        ),
        Script(stdin="3", stdout="7"),
    )
    assert not any(test.passed for test in result.tests)


async def test_a_loop_of_the_tests_is_not_ended_by_the_program(run):
    code = "def f(x): raise StopIteration\ndef count():\n    yield 1\n    yield 2"
    result = await run(
        code,
        Assertion(source="assert all(map(lambda x: f(x) == x, [1, 2]))"),
        Assertion(source="for got, wanted in zip(map(f, [1, 2]), [1, 2]):\n    assert got == wanted"),
        Assertion(source="assert list(count()) == [*count()] == sorted(count()) == [1, 2]"),
    )
    assert [test.status for test in result.tests] == [Status.EXCEPTION, Status.EXCEPTION, Status.PASSED]


async def test_new_namespaces_are_refused(attack):
    code = f"""{TRIED}
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def attack():
    results = []
    for flag in (0x10000000, 0x00020000, 0x40000000):
        results.append(libc.unshare(flag))
    return results, libc.mount(b"none", b"/tmp", b"tmpfs", 0, None), [
        line.split()[1] for line in open("/proc/self/status") if line.startswith(("CapEff", "CapPrm", "NoNewPrivs"))
    ]
"""
    result = await attack(code, [[-1, -1, -1], -1, ["0" * 16, "0" * 16, "1"]])
    assert result.passed, result.message


@pytest.mark.soak
@pytest.mark.timeout(300)
async def test_two_hundred_programs_at_once_stay_within_the_machine(box):
    """Some of them hostile; each gets its own verdict, and at no time are there more than the slots allow."""
    kinds = [
        ("def f(): return 1", Status.PASSED),
        ("def f(): return bytearray(2**31)", Status.MEMORY),
        ("def f():\n    while True: print('x' * 1000)", Status.OUTPUT),
        ("import os\ndef f(): os.kill(-1, 9)", Status.KILLED),
    ]
    found, most = {}, 0
    narrow = Bubblewrap(limits=box.limits, slots=2)

    async def one(number):
        code, _ = kinds[number % len(kinds)]
        result = await narrow.run(Program(code=code, tests=[Call(call="f()", expected=1)]))
        found[number] = result.tests[0].status

    async def count():
        nonlocal most
        while True:
            most = max(most, len(processes_with("bwrap")))
            await anyio.sleep(0.02)

    async with anyio.create_task_group() as watching:
        watching.start_soon(count)
        async with anyio.create_task_group() as tasks:
            for number in range(200):
                tasks.start_soon(one, number)
        watching.cancel_scope.cancel()
    assert [found[number] for number in range(200)] == [
        kinds[number % len(kinds)][1] for number in range(200)
    ]
    assert most <= 3 * narrow.slots  # bubblewrap is two processes, and the third becomes the driver
    assert processes_with("bwrap") == []
