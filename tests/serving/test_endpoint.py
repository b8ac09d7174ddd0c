"""A server answers inside the block, and nothing is left of it afterwards, however the block ends."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import urllib.request
from pathlib import Path

import anyio
import pytest

from orchestrator.errors import EndpointError, InvalidInputError
from orchestrator.serving import Endpoint

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="watches processes through pidfd")


def answers(endpoint):
    with urllib.request.urlopen(f"{endpoint.base_url}/models") as response:
        return response.status == 200


async def test_a_server_answers_inside_the_block_and_is_gone_after_it(engine, model, gone):
    async with Endpoint(model, engine=engine, parallel=2) as endpoint:
        assert answers(endpoint)
        assert endpoint.alive
        assert (endpoint.parallel, endpoint.chat) == (2, False)
        server = int(endpoint.model)
    assert gone(server)
    assert not endpoint.alive


def test_it_is_a_plain_context_manager_too(engine, model, gone):
    with Endpoint(model, engine=engine) as endpoint:
        assert answers(endpoint)
    assert gone(int(endpoint.model))


async def test_an_exception_in_the_block_stops_the_server_and_is_passed_on(engine, model, gone):
    with pytest.raises(LookupError, match="mine"):
        async with Endpoint(model, engine=engine) as endpoint:
            raise LookupError("mine")
    assert gone(int(endpoint.model))


async def test_two_endpoints_at_once_are_two_servers(engine, model):
    async with Endpoint(model, engine=engine) as one, Endpoint(model, engine=engine) as two:
        assert one.base_url != two.base_url
        assert answers(one)
        assert answers(two)


async def test_a_server_that_dies_while_starting_is_an_error_with_its_last_lines(engine, model):
    engine.mode = "dies"
    with pytest.raises(EndpointError, match="ended with exit code 1 while starting") as caught:
        async with Endpoint(model, engine=engine):
            pytest.fail("entered the block")
    assert caught.value.log_tail == "loading dies\nno such tensor: blk.0"


async def test_a_command_that_does_not_exist_is_an_error_that_names_it(engine, model):
    engine.command = ("/no/such/server",)
    with pytest.raises(EndpointError, match="/no/such/server: No such file"):
        await Endpoint(model, engine=engine).__aenter__()


async def test_a_server_that_is_not_ready_in_time_is_stopped(engine, model, gone):
    engine.mode = "hangs"
    with pytest.raises(EndpointError, match=r"not ready within 1\.5 seconds") as caught:
        async with Endpoint(model, engine=engine, start_timeout=1.5):
            pytest.fail("entered the block")
    assert caught.value.log_tail == "loading hangs"
    assert [gone(pid) for pid in engine.pids()] == [True]


async def test_a_start_that_is_cancelled_leaves_no_server(engine, model, gone):
    engine.mode = "hangs"
    with anyio.move_on_after(1.5) as scope:
        async with Endpoint(model, engine=engine):
            pytest.fail("entered the block")
    assert scope.cancelled_caught
    assert [gone(pid) for pid in engine.pids()] == [True]


async def test_a_port_that_another_program_takes_first_is_given_up_for_another(engine, model):
    engine.picks_port = False
    with socket.socket() as thief:

        def steal_once(port):
            if not engine.pids() and thief.getsockname()[1] == 0:
                thief.bind(("127.0.0.1", port))
                thief.listen()

        engine.before_launch = steal_once
        async with Endpoint(model, engine=engine) as endpoint:
            assert answers(endpoint)
            assert not endpoint.base_url.endswith(f":{thief.getsockname()[1]}/v1")
    assert len(engine.pids()) == 2


async def test_a_server_killed_mid_run_is_noticed_and_said(engine, model, gone):
    async with Endpoint(model, engine=engine) as endpoint:
        endpoint.check()
        os.kill(int(endpoint.model), signal.SIGKILL)
        assert gone(endpoint._process.pid)
        assert not endpoint.alive
        endpoint._process._reader.join()
        with pytest.raises(EndpointError, match="was killed by signal 9") as caught:
            endpoint.check()
    assert caught.value.log_tail == "loading serves"


def test_a_server_that_will_not_end_is_killed_when_its_grace_is_over(engine, model, gone):
    engine.mode, engine.grace = "stubborn", 0.2
    with Endpoint(model, engine=engine) as endpoint:
        pass
    assert gone(int(endpoint.model))


def test_what_the_server_started_goes_with_it(engine, model, gone):
    engine.mode = "helped"
    with Endpoint(model, engine=engine):
        assert len(engine.pids()) == 2
    assert all(gone(pid) for pid in engine.pids())


def test_a_killed_guard_takes_the_server_with_it(engine, model, gone):
    with Endpoint(model, engine=engine) as endpoint:
        guard = endpoint._process.pid
        os.kill(guard, signal.SIGKILL)
        # The kernel tells a process's children of its end before it lets its parent see it.
        assert gone(int(endpoint.model))
        assert gone(guard)
        assert not endpoint.alive


async def test_an_endpoint_is_entered_once(engine, model):
    async with Endpoint(model, engine=engine) as endpoint:
        with pytest.raises(InvalidInputError, match="entered once"):
            await endpoint.__aenter__()


@pytest.mark.parametrize(
    "wrong",
    [{"parallel": 0}, {"parallel": 1025}, {"context_length": 0}, {"start_timeout": 0}, {"engine": "x"}],
)
def test_arguments_out_of_range_are_refused_before_anything_starts(wrong, model):
    with pytest.raises(InvalidInputError):
        Endpoint(model, **wrong)


def test_an_endpoint_not_started_is_not_alive(engine, model):
    endpoint = Endpoint(model, engine=engine)
    assert not endpoint.alive
    with pytest.raises(EndpointError, match="not been started"):
        endpoint.check()


def parent(tmp_path, body):
    """A Python program of its own session with a running endpoint; it prints the server's process id."""
    script = f"""
        import os, signal, sys, threading, urllib.request
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from conftest import FakeEngine
        from orchestrator.serving import Endpoint
        from orchestrator.serving.models import LocalModel

        model = LocalModel(name="m", path=Path("m.gguf"), chat=False, context_length=128)
        with Endpoint(model, engine=FakeEngine(notes=Path({str(tmp_path / "pids")!r}))) as endpoint:
    """
    program = textwrap.dedent(script) + textwrap.indent(textwrap.dedent(body), "    ")
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_kill_9_of_the_parent_leaves_no_server(tmp_path, gone):
    with parent(tmp_path, "print(endpoint.model, flush=True); threading.Event().wait()") as program:
        server = int(program.stdout.readline())
        program.kill()
        assert gone(server)


def test_a_forked_sibling_that_keeps_the_pipe_open_does_not_keep_the_server(tmp_path, gone):
    body = """
        sibling = os.fork()
        if not sibling:
            threading.Event().wait()
        print(endpoint.model, sibling, flush=True)
        threading.Event().wait()
    """
    with parent(tmp_path, body) as program:
        server, sibling = map(int, program.stdout.readline().split())
        try:
            program.kill()
            assert gone(server)
        finally:
            os.kill(sibling, signal.SIGKILL)


def test_ctrl_c_reaches_the_program_and_not_its_server(tmp_path, gone):
    body = """
        try:
            print(endpoint.model, flush=True)
            threading.Event().wait()
        except KeyboardInterrupt:
            urllib.request.urlopen(endpoint.base_url + "/models").close()
            print("drained", endpoint.alive, flush=True)
            raise SystemExit(130)
    """
    with parent(tmp_path, body) as program:
        server = int(program.stdout.readline())
        os.killpg(program.pid, signal.SIGINT)
        assert program.stdout.readline() == "drained True\n"
        assert program.wait() == 130
    assert gone(server)


def test_sigterm_of_the_parent_leaves_no_server(tmp_path, gone):
    with parent(tmp_path, "print(endpoint.model, flush=True); threading.Event().wait()") as program:
        server = int(program.stdout.readline())
        program.terminate()
        assert gone(server)
