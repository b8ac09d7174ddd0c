"""The commands and their flags."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from ..version import __version__
from .failures import DEBUG_VARIABLE, guarded

__all__ = ["app", "main"]

app = typer.Typer(
    name="orchestrator",
    help="Run control programs over language models, under a budget that cannot be overspent.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
models = typer.Typer(help="Models that run on this machine.", no_args_is_help=True)
app.add_typer(models, name="model")


def main(args: Sequence[str] | None = None) -> int:
    """Run a command line (default: the process's own); returns the exit code."""

    words = list(sys.argv[1:] if args is None else args)

    def command() -> int:
        try:
            app(args=words, prog_name="orchestrator", obj=tuple(words))
        except SystemExit as end:
            return end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        return 0

    debug = os.environ.get(DEBUG_VARIABLE)
    try:
        return guarded(command)
    finally:  # `--debug` set it for this command only
        if debug is None:
            os.environ.pop(DEBUG_VARIABLE, None)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"orchestrator {__version__}")
        raise typer.Exit


def _debug(wanted: bool) -> None:
    if wanted:
        os.environ[DEBUG_VARIABLE] = "1"


Debug = Annotated[
    bool, typer.Option("--debug", callback=_debug, is_eager=True, help="Show tracebacks of errors.")
]


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
    debug: Debug = False,
) -> None:
    """Run control programs over language models, under a budget that cannot be overspent."""


AllowOutside = Annotated[
    bool,
    typer.Option(
        "--allow-includes-outside", help="Let the program file include files that are outside of its folder."
    ),
]


ExactPrompts = Annotated[
    bool,
    typer.Option(
        "--exact-prompts",
        help="Have models count prompts for the worst case: those on this machine are started, and servers asked. "
        "Nothing is generated or charged. Without it prompts are bounded by their bytes, and nothing is started.",
    ),
]


PROBLEMS, MODEL, STRATEGY, BUDGET, RECORD = "Problems", "Model", "Strategy", "Budget", "Record and output"


@app.command()
def run(
    context: typer.Context,
    target: Annotated[
        str, typer.Argument(help="A program file (.yaml), a strategy's name, or FILE.py:FUNCTION.")
    ],
    problems: Annotated[
        Path | None,
        typer.Option(
            help="Problems: JSONL, JSON, CSV or TSV, also .gz; - is stdin.", rich_help_panel=PROBLEMS
        ),
    ] = None,
    prompt: Annotated[
        list[str] | None,
        typer.Option("--prompt", "-p", help="A problem; repeatable.", rich_help_panel=PROBLEMS),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Problems at most.", rich_help_panel=PROBLEMS)
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="A model on this machine (a name of `model list` or a .gguf file), or with --base-url the "
            "served model's name; repeatable. NAME=MODEL gives it the name a strategy knows it by.",
            rich_help_panel=MODEL,
        ),
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option(help="OpenAI-compatible endpoint, usually ending in /v1.", rich_help_panel=MODEL),
    ] = None,
    api_key_env: Annotated[
        str | None,
        typer.Option(help="Variable that holds the key; OPENAI_API_KEY if set.", rich_help_panel=MODEL),
    ] = None,
    price_in: Annotated[
        float | None, typer.Option(min=0, help="US dollars per million prompt tokens.", rich_help_panel=MODEL)
    ] = None,
    price_out: Annotated[
        float | None,
        typer.Option(min=0, help="US dollars per million completion tokens.", rich_help_panel=MODEL),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="PARAMETER=VALUE",
            help="A parameter of the strategy, the value as in a program file (YAML); repeatable.",
            rich_help_panel=STRATEGY,
        ),
    ] = None,
    n: Annotated[
        int | None, typer.Option("--n", "-n", min=1, help="Samples at most.", rich_help_panel=STRATEGY)
    ] = None,
    temperature: Annotated[
        float | None, typer.Option(min=0, help="Sampling temperature.", rich_help_panel=STRATEGY)
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option(min=1, help="Tokens of an answer at most.", rich_help_panel=STRATEGY)
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            help="How answers are read: number, math, choice, boolean, date, text, whole, json, ...",
            rich_help_panel=STRATEGY,
        ),
    ] = None,
    budget_usd: Annotated[
        float | None, typer.Option(min=0, help="US dollars.", rich_help_panel=BUDGET)
    ] = None,
    budget_tokens: Annotated[
        int | None, typer.Option(min=0, help="Prompt and completion tokens together.", rich_help_panel=BUDGET)
    ] = None,
    budget_requests: Annotated[
        int | None, typer.Option(min=0, help="Requests, retries included.", rich_help_panel=BUDGET)
    ] = None,
    budget_seconds: Annotated[
        float | None, typer.Option(min=0, help="Wall time.", rich_help_panel=BUDGET)
    ] = None,
    per_problem_tokens: Annotated[
        int | None, typer.Option(min=0, help="Tokens for each problem.", rich_help_panel=BUDGET)
    ] = None,
    per_problem_requests: Annotated[
        int | None, typer.Option(min=0, help="Requests for each problem.", rich_help_panel=BUDGET)
    ] = None,
    per_problem_seconds: Annotated[
        float | None, typer.Option(min=0, help="Seconds for each problem.", rich_help_panel=BUDGET)
    ] = None,
    journal: Annotated[
        Path | None, typer.Option(help="Record every call in this file.", rich_help_panel=RECORD)
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in the journal.", rich_help_panel=RECORD)
    ] = False,
    allow_changed_program: Annotated[
        bool,
        typer.Option(
            "--allow-changed-program",
            help="Resume with another program than the journal's: calls it makes as well are not sent again.",
            rich_help_panel=RECORD,
        ),
    ] = False,
    seed: Annotated[int | None, typer.Option(help="Seed of the run.", rich_help_panel=RECORD)] = None,
    concurrency: Annotated[
        int, typer.Option(min=1, help="Calls in flight at once per model.", rich_help_panel=RECORD)
    ] = 64,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="A JSON object per problem, then a summary.", rich_help_panel=RECORD),
    ] = False,
    ordered: Annotated[
        bool,
        typer.Option("--ordered", help="Outcomes in the problems' order.", rich_help_panel=RECORD),
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="Show each outcome, retry and limit.", rich_help_panel=RECORD),
    ] = False,
    trace: Annotated[
        bool,
        typer.Option(
            "--trace",
            help="Show each problem as a tree: calls, scores and decisions by branch.",
            rich_help_panel=RECORD,
        ),
    ] = False,
    allow_includes_outside: AllowOutside = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Show what it costs at most, and send nothing.", rich_help_panel=BUDGET
        ),
    ] = False,
    allow_over_budget: Annotated[
        bool,
        typer.Option(
            "--allow-over-budget",
            help="With --dry-run, accept a worst case beyond the budget, which a run never exceeds.",
            rich_help_panel=BUDGET,
        ),
    ] = False,
    exact_prompts: ExactPrompts = False,
    debug: Debug = False,
) -> None:
    """Run a program over problems. Flags override what a program file says."""
    if resume and journal is None:
        raise typer.BadParameter("needs --journal FILE, the journal to resume from", param_hint="--resume")
    if allow_changed_program and not resume:
        raise typer.BadParameter("needs --resume", param_hint="--allow-changed-program")
    from .job import Flags
    from .run import Settings
    from .run import run as run_job

    def given(**values: Any) -> dict[str, Any]:
        return {name: value for name, value in values.items() if value is not None}

    flags = Flags(
        target=target,
        problems=problems,
        prompts=tuple(prompt or ()),
        limit=limit,
        models=tuple(model or ()),
        settings=tuple(settings or ()),
        base_url=base_url,
        api_key_env=api_key_env,
        price_in=price_in,
        price_out=price_out,
        n=n,
        temperature=temperature,
        max_tokens=max_tokens,
        kind=_kind(kind),
        budget=given(
            usd=budget_usd, total_tokens=budget_tokens, requests=budget_requests, seconds=budget_seconds
        ),
        per_problem=given(
            total_tokens=per_problem_tokens, requests=per_problem_requests, seconds=per_problem_seconds
        ),
        allow_outside=allow_includes_outside,
        costs=dry_run,
        unkeyed=dry_run and not exact_prompts,
    )
    if exact_prompts and not dry_run:
        raise typer.BadParameter("needs --dry-run", param_hint="--exact-prompts")
    if dry_run:
        from .explain import DryRun
        from .explain import dry_run as dry_run_of

        options = DryRun(
            journal=journal,
            resume=resume,
            allow_changed_program=allow_changed_program,
            exact=exact_prompts,
            allow_over_budget=allow_over_budget,
            json=as_json,
        )
        raise typer.Exit(dry_run_of(flags, options))
    how = Settings(
        journal=None if journal is None else str(journal),
        resume=resume,
        allow_changed_program=allow_changed_program,
        seed=seed,
        concurrency=concurrency,
        json=as_json,
        ordered=ordered,
        verbose=verbose,
        trace=trace,
        command=("orchestrator", *(context.obj or ())),
    )
    raise typer.Exit(run_job(flags, how))


def _kind(name: str | None) -> Any:
    """A kind of answers, checked here because the answers module is loaded late."""
    from ..answers import KINDS, kinds

    if name is not None and name not in KINDS and name not in kinds():
        raise typer.BadParameter(f"{name!r} is none of {', '.join(kinds())}", param_hint="--kind")
    return name


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A program file.")],
    problems: Annotated[
        Path | None,
        typer.Option(help="Problems, in place of the file's: JSONL, JSON, CSV or TSV, also .gz; - is stdin."),
    ] = None,
    allow_includes_outside: AllowOutside = False,
    debug: Debug = False,
) -> None:
    """Check a program file, its problems and its recorded samples without running anything; shows what it says, with
    all defaults left out.
    """
    from .check import check_file

    check_file(file, problems, allow_outside=allow_includes_outside)


@app.command()
def graph(
    file: Annotated[Path, typer.Argument(help="A program file.")],
    form: Annotated[
        Literal["mermaid", "svg"] | None,
        typer.Option(
            "--format",
            help="How; told from the end of --output's name (.svg, .mmd, .mermaid, .md), else mermaid.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.")] = None,
    allow_includes_outside: AllowOutside = False,
    debug: Debug = False,
) -> None:
    """Draw a program file: what runs after what, as a Mermaid flowchart or an SVG picture."""
    from .graph import draw

    draw(file, form, output, allow_outside=allow_includes_outside)


@app.command()
def schema(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File; stdout if none.")] = None,
    built_in: Annotated[
        bool, typer.Option("--built-in", help="Leave out the parts of other packages that are installed.")
    ] = False,
    debug: Debug = False,
) -> None:
    """Write the JSON Schema of program files, by which editors check and complete them, with the strategies and
    verifiers of all packages that are installed.
    """
    from .schema import write_schema

    write_schema(output, installed=not built_in)


@app.command("fmt")
def format_program_files(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Program files (.yaml, .yml); - is stdin.")
    ],
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 if a file would change.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Change nothing; show what would change.")] = False,
    debug: Debug = False,
) -> None:
    """Put program files into one form: order of keys, indentation, quotes. What they say stays, and comments do."""
    from .fmt import format_files

    raise typer.Exit(format_files(files, check=check, diff=diff))


@app.command()
def explain(
    file: Annotated[str, typer.Argument(help="A program file (.yaml), or a strategy's name with --model.")],
    problems: Annotated[
        Path | None,
        typer.Option(help="Problems, in place of the file's: JSONL, JSON, CSV or TSV, also .gz; - is stdin."),
    ] = None,
    prompt: Annotated[
        list[str] | None,
        typer.Option("--prompt", "-p", help="A problem, in place of the file's; repeatable."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Problems at most.")] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help="A model on this machine, in place of the file's; as `run` takes it."),
    ] = None,
    journal: Annotated[
        Path | None, typer.Option("--from", help="A journal: show what each part took on average there.")
    ] = None,
    allow_changed_program: Annotated[
        bool,
        typer.Option(
            "--allow-changed-program",
            help="With --from, take the figures though another program's calls are there.",
        ),
    ] = False,
    expected: Annotated[
        Path | None,
        typer.Option("--expect", help="JSON with what each part is expected to take, by its path."),
    ] = None,
    exact_prompts: ExactPrompts = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    allow_includes_outside: AllowOutside = False,
    debug: Debug = False,
) -> None:
    """Show a program as a tree with what each part costs at most. Nothing is generated, and nothing started unless
    prompts are to be counted exactly.
    """
    if allow_changed_program and journal is None:
        raise typer.BadParameter("needs --from", param_hint="--allow-changed-program")
    from .explain import Options, show
    from .job import Flags

    flags = Flags(
        target=file,
        problems=problems,
        prompts=tuple(prompt or ()),
        limit=limit,
        models=tuple(model or ()),
        allow_outside=allow_includes_outside,
        costs=True,
        unkeyed=not exact_prompts,
    )
    options = Options(
        journal=journal,
        allow_changed_program=allow_changed_program,
        expected=expected,
        exact=exact_prompts,
        json=as_json,
    )
    raise typer.Exit(show(flags, options))


@app.command()
def strategies(
    name: Annotated[str | None, typer.Argument(help="One of them, to be shown in full.")] = None,
    debug: Debug = False,
) -> None:
    """List the strategies: what they do, when they pay, what they cost, and their parameters."""
    from ..programs.registries import STRATEGIES

    _show(STRATEGIES, name)


@app.command()
def verifiers(
    name: Annotated[str | None, typer.Argument(help="One of them, to be shown in full.")] = None,
    debug: Debug = False,
) -> None:
    """List the verifiers: what they score, what they cost, and their parameters."""
    from ..programs.registries import VERIFIERS

    _show(VERIFIERS, name)


def _show(registry: Any, name: str | None) -> None:
    from .parts import show_all, show_one

    if name is None:
        show_all(registry)
    else:
        show_one(registry, name)


@app.command()
def version() -> None:
    """Show the version."""
    print(f"orchestrator {__version__}")


@models.command("list")
def list_models() -> None:
    """List the models that can be fetched by name."""
    from .models import show_models

    show_models()


@models.command("pull")
def pull_model(
    name: Annotated[str, typer.Argument(help="A name of `model list`.")], debug: Debug = False
) -> None:
    """Fetch a model, unless it is there."""
    from .models import fetch_model

    fetch_model(name)


@models.command("path")
def model_path(
    name: Annotated[str, typer.Argument(help="A name of `model list`.")], debug: Debug = False
) -> None:
    """Show where a fetched model is."""
    from ..serving import path

    print(path(name))
