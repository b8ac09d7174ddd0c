import anyio
import anyio.lowlevel
import pytest
from faulty_server import Fault, FaultyServer

from orchestrator.backends import Backend
from orchestrator.backends.local import LocalBackend
from orchestrator.errors import BackendError, EndpointError
from orchestrator.types import Capabilities, Price, Request


class Endpoints:
    """Stands in for `serving.Endpoint`: starts a fake server, and counts starts and stops."""

    def __init__(self):
        self.started = self.stopped = 0
        self.gate = None
        self.alive = True
        self.script = []
        self.options = {}

    def __call__(self, model, *, progress, **options):
        self.options = {"model": model, **options}
        return _Endpoint(self, progress)


class _Endpoint:
    def __init__(self, endpoints, progress):
        self.endpoints, self.progress = endpoints, progress
        self.server = FaultyServer(script=endpoints.script, answer=lambda body, choice: "4")
        self.model = "tiny"
        self.capabilities = Capabilities(chat=False, parallel=6, context_length=512)

    async def __aenter__(self):
        self.endpoints.started += 1
        try:
            if self.endpoints.gate is not None:
                await self.endpoints.gate.wait()
            self.progress(50, 100)
            await self.server.__aenter__()
        except BaseException:
            self.endpoints.stopped += 1
            raise
        self.base_url = self.server.base_url
        return self

    async def __aexit__(self, *exc):
        self.endpoints.stopped += 1
        await self.server.__aexit__(*exc)

    def check(self):
        if not self.endpoints.alive:
            raise EndpointError("the model server ended with exit code 9")


@pytest.fixture
def endpoints(monkeypatch):
    made = Endpoints()
    monkeypatch.setattr("orchestrator.serving.Endpoint", made)
    return made


ASK = Request(prompt="2 + 2 =", max_tokens=5)


def test_nothing_is_started_before_it_is_prepared(endpoints):
    backend = LocalBackend("tiny", parallel=2)
    assert isinstance(backend, Backend)
    assert (backend.name, backend.price) == ("tiny", Price(input=0, output=0))
    assert backend.capabilities.parallel == 2
    assert endpoints.started == 0
    assert LocalBackend("/models/small-q4.gguf").name == "small-q4"


async def test_it_serves_from_prepare_to_close(endpoints):
    told = []
    backend = LocalBackend(
        "tiny", parallel=2, context_length=99, start_timeout=7, progress=lambda *at: told.append(at)
    )
    await backend.prepare()
    await backend.prepare()
    assert endpoints.started == 1
    assert endpoints.options == {"model": "tiny", "parallel": 2, "context_length": 99, "start_timeout": 7}
    assert told == [(50, 100)]
    assert backend.capabilities.chat is False
    assert backend.capabilities.parallel == 6
    [sample] = await backend.complete(ASK)
    assert sample.text == "4"
    await backend.aclose()
    await backend.aclose()
    assert endpoints.stopped == 1


async def test_it_can_be_opened_again(endpoints):
    backend = LocalBackend("tiny")
    for _ in range(2):
        [sample] = await backend.complete(ASK)
        assert sample.text == "4"
        await backend.aclose()
    assert (endpoints.started, endpoints.stopped) == (2, 2)


async def test_closing_before_opening_does_nothing(endpoints):
    await LocalBackend("tiny").aclose()
    assert endpoints.started == 0


async def test_side_by_side_callers_start_one_server(endpoints):
    backend = LocalBackend("tiny")
    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(backend.prepare)
    assert endpoints.started == 1
    await backend.aclose()


async def test_a_cancelled_prepare_leaves_nothing_behind(endpoints):
    endpoints.gate = anyio.Event()
    backend = LocalBackend("tiny")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(backend.prepare)
        while not endpoints.started:
            await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    assert endpoints.stopped == 1
    endpoints.gate = None
    await backend.prepare()
    await backend.aclose()
    assert (endpoints.started, endpoints.stopped) == (2, 2)


async def test_a_failed_call_to_a_living_server_is_a_failed_call(endpoints):
    endpoints.script = [Fault.SERVER_ERROR]
    backend = LocalBackend("tiny")
    with pytest.raises(BackendError):
        await backend.complete(ASK)
    await backend.aclose()


async def test_a_failed_call_to_a_dead_server_says_that_it_died(endpoints):
    endpoints.script, endpoints.alive = [Fault.CLOSED], False
    backend = LocalBackend("tiny")
    with pytest.raises(EndpointError, match="exit code 9"):
        await backend.complete(ASK)
    await backend.aclose()
