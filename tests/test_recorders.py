import structlog
from structlog.testing import CapturingLogger

from orchestrator import Controller, SelfConsistency
from orchestrator.backends import Model, RetryPolicy, ScriptedBackend
from orchestrator.errors import StatusError
from orchestrator.recorders import structlog_recorder
from orchestrator.stopping import FixedSize


async def test_every_call_and_problem_is_one_structured_event():
    logger = CapturingLogger()
    log = structlog.wrap_logger(logger, processors=[])
    script = ["4", StatusError.of(500, "oops"), "4", StatusError.of(400, "no")]
    model = Model(backend=ScriptedBackend(script), retry=RetryPolicy(base=0.0), concurrency=1)
    async with Controller(models={"m": model}, recorders=[structlog_recorder(log)]) as controller:
        await controller.run(SelfConsistency(n=3, stop=FixedSize()), "2 + 2?")
    said = [(call.method_name, call.kwargs["event"]) for call in logger.calls]
    assert said == [
        ("info", "call"),
        ("warning", "call failed"),
        ("warning", "call retried"),
        ("info", "call"),
        ("warning", "call failed"),
        ("info", "problem"),
    ]
    first, last = logger.calls[0].kwargs, logger.calls[-1].kwargs
    assert (first["call"], first["model"], first["samples"]) == ("0:#0", "scripted", 1)
    assert first["completion_tokens"] > 0
    assert (last["problem"], last["answer"], last["stop_reason"]) == ("0", "4", "complete")


def test_nothing_is_logged_unless_asked_for(capsys):
    from orchestrator import run_sync

    run_sync(SelfConsistency(n=1), "2 + 2?", models={"m": ScriptedBackend(["4"])})
    assert capsys.readouterr() == ("", "")
