"""The real thing: SmolLM2 through llama.cpp, answering over plain HTTP."""

import json
import os
import subprocess
import sys
import textwrap
import urllib.request
from pathlib import Path

import pytest

from orchestrator.errors import EndpointError
from orchestrator.serving import Endpoint, resolve

pytest.importorskip("xllamacpp")
pytestmark = pytest.mark.local_model


@pytest.fixture(scope="module")
def smollm2():
    return resolve("smollm2-135m-instruct")


def fetch(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def server_of(endpoint):
    """Process id of the server under the endpoint's guard."""
    guard = endpoint._process.pid
    return int(Path(f"/proc/{guard}/task/{guard}/children").read_text().split()[0])


def test_it_answers_and_leaves_nothing(smollm2, gone):
    with Endpoint(smollm2, parallel=3, context_length=256) as endpoint:
        assert (endpoint.model, endpoint.chat, endpoint.parallel) == ("smollm2-135m-instruct", True, 3)
        answer = fetch(
            f"{endpoint.base_url}/completions",
            {"prompt": "The capital of France is", "max_tokens": 1, "temperature": 0},
        )
        assert answer["choices"][0]["text"] == " Paris"
        root = endpoint.base_url.removesuffix("/v1")
        assert [slot["n_ctx"] for slot in fetch(f"{root}/slots")] == [256, 256, 256]
        assert fetch(f"{root}/props")["total_slots"] == 3
        with urllib.request.urlopen(f"{root}/metrics") as metrics:
            assert b"llamacpp:requests_processing" in metrics.read()
        server = server_of(endpoint)
    assert gone(server)


def test_it_listens_on_loopback_alone(smollm2):
    with Endpoint(smollm2, parallel=1, context_length=64) as endpoint:
        port = int(endpoint.base_url.split(":")[2].split("/")[0])
        wanted = f":{port:04X}"
        listening = [
            line.split()[1]
            for table in ("tcp", "tcp6")
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
            if line.split()[1].endswith(wanted) and line.split()[3] == "0A"
        ]
    assert listening == [f"0100007F{wanted}"]


def test_kill_9_of_the_parent_leaves_no_server(smollm2, gone):
    program = textwrap.dedent("""
        import sys, threading
        from pathlib import Path
        from orchestrator.serving import Endpoint, resolve
        with Endpoint(resolve("smollm2-135m-instruct"), parallel=1, context_length=64) as endpoint:
            guard = endpoint._process.pid
            print(guard, Path(f"/proc/{guard}/task/{guard}/children").read_text(), flush=True)
            threading.Event().wait()
    """)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        parent.kill()
        assert len(pids) == 2
        assert all(gone(pid) for pid in pids)


@pytest.mark.parametrize("damage", ["cut", "noise"])
async def test_weights_that_are_damaged_are_an_error_with_the_servers_words(smollm2, tmp_path, damage):
    data = smollm2.path.read_bytes()
    (tmp_path / "bad.gguf").write_bytes(data[: len(data) // 2] if damage == "cut" else os.urandom(1 << 16))
    bad = type(smollm2)(name="bad", path=tmp_path / "bad.gguf", chat=True, context_length=64)
    with pytest.raises(EndpointError, match="ended with exit code 1 while starting") as caught:
        async with Endpoint(bad):
            pytest.fail("entered the block")
    assert "bad.gguf" in caught.value.log_tail
