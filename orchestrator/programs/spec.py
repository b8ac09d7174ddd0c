"""What a program file may say, key by key. Parts named by a registry are checked in `parts`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, field_validator
from pydantic_core import PydanticKnownError

from ..answers import PercentRule, UnitRule
from .annotations import whole

__all__ = [
    "AnswerSpec",
    "BackendSpec",
    "BudgetSpec",
    "EndpointSpec",
    "ExampleSpec",
    "FieldKind",
    "IncludedSpec",
    "LimitsSpec",
    "LocalSpec",
    "ModelSpec",
    "PriceSpec",
    "ProblemSpec",
    "ProblemsSpec",
    "ProgramSpec",
    "PromptSpec",
    "ReplaySpec",
    "SamplingSpec",
    "UseSpec",
    "known_keys",
]

Text = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=1), BeforeValidator(whole)]
Natural = Annotated[int, Field(ge=0), BeforeValidator(whole)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


Stop = Annotated[
    Annotated[Text, Tag("<one>")] | Annotated[list[Text], Tag("<several>")],
    Discriminator(lambda value: "<several>" if isinstance(value, list) else "<one>"),
]


class Spec(BaseModel):
    """The root of all: unknown keys and wrong types are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SamplingSpec(Spec):
    """How a model samples unless the strategy says otherwise; `extra` is added to the HTTP body. A `temperature` of
    null is not sent: some models take none.
    """

    temperature: Amount | None = None
    max_tokens: Count | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    top_k: Natural | None = None
    min_p: Annotated[float, Field(ge=0, le=1)] | None = None
    stop: Stop | None = None
    logprobs: Natural | None = None
    extra: dict[str, Any] = Field(default_factory=dict)


class PriceSpec(Spec):
    """US dollars per million tokens; `request` in US dollars per request."""

    input: Amount
    output: Amount
    cached_input: Amount | None = None
    request: Amount = 0.0


class CalledSpec(Spec):
    """How calls to a model are made, wherever it runs."""

    sampling: SamplingSpec = SamplingSpec()
    concurrency: Count | None = None
    requests_per_minute: Positive | None = None
    tokens_per_minute: Positive | None = None
    retries: Natural | None = None


class LocalSpec(CalledSpec):
    """A model served on this machine: a registered name or a path to a `.gguf`."""

    local: Text
    parallel: Count | None = None
    context_length: Count | None = None
    timeout: Positive | None = None


class EndpointSpec(CalledSpec):
    """A model behind an OpenAI-compatible endpoint."""

    base_url: Text
    model: Text
    api_key_env: Text | None = None
    price: PriceSpec | None = None
    chat: bool | None = None
    timeout: Positive | None = None
    headers: dict[str, str] = Field(default_factory=dict)

    @field_validator("base_url")
    @classmethod
    def _is_http(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value

    @field_validator("headers")
    @classmethod
    def _holds_no_key(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            if name.lower() in ("authorization", "api-key", "x-api-key"):
                raise ValueError(
                    f"{name!r} would put a key into the file: name its variable with `api_key_env`"
                )
        return value


class ReplaySpec(CalledSpec):
    """Recorded samples instead of a model."""

    replay: Text
    price: PriceSpec | None = None


class BackendSpec(CalledSpec):
    """A model behind a backend that another package brings: its name, and the parameters that its factory takes."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)

    backend: Text


KINDS = ("local", "base_url", "replay", "backend")


def _kind_of_model(value: Any) -> str | None:
    if isinstance(value, BaseModel):
        return f"<{next(kind for kind in KINDS if hasattr(value, kind))}>"
    given = [kind for kind in KINDS if isinstance(value, dict) and kind in value]
    return f"<{given[0]}>" if len(given) == 1 else None


ModelSpec = Annotated[
    Annotated[LocalSpec, Tag("<local>")]
    | Annotated[EndpointSpec, Tag("<base_url>")]
    | Annotated[ReplaySpec, Tag("<replay>")]
    | Annotated[BackendSpec, Tag("<backend>")],
    Discriminator(
        _kind_of_model,
        custom_error_type="model_kind",
        custom_error_message="must have exactly one of `local`, `base_url`, `replay` and `backend`",
    ),
]


class LimitsSpec(Spec):
    """Limits of a budget; see `Budget`."""

    usd: Amount | None = None
    prompt_tokens: Natural | None = None
    completion_tokens: Natural | None = None
    total_tokens: Natural | None = None
    requests: Natural | None = None
    seconds: Positive | None = None


class BudgetSpec(LimitsSpec):
    """Limits of the run, and of each problem inside it."""

    per_problem: LimitsSpec = LimitsSpec()


FieldKind: TypeAlias = Literal["text", "number", "list"]


class ProblemSpec(Spec):
    """What a problem has beside its text, and how it is put: `template` is the same as the prompt's."""

    fields: dict[Text, FieldKind] = Field(default_factory=dict)
    template: Text | None = None


class ProblemsSpec(Spec):
    """A file of problems, beside the program file, and which columns mean what."""

    file: Text
    limit: Count | None = None
    offset: Natural = 0
    id: Text | None = None
    prompt: Text | None = None
    reference: Text | None = None
    tests: Text | None = None


class ExampleSpec(Spec):
    """A worked example."""

    question: Text
    answer: Text


class PromptSpec(Spec):
    """How a problem is put to a model; see `Prompt`."""

    system: str | None = None
    template: Text = "{{ problem }}"
    examples: list[ExampleSpec] = Field(default_factory=list)
    question_label: Text = "Question:"
    answer_label: Text = "Answer:"
    completion: bool = False


class UseSpec(Spec):
    """One of the file's `prompts`, by its name."""

    use: Text


def _kind_of_prompt(value: Any) -> str:
    return (
        "<use>" if isinstance(value, UseSpec) or (isinstance(value, dict) and "use" in value) else "<prompt>"
    )


AnyPromptSpec = Annotated[
    Annotated[PromptSpec, Tag("<prompt>")] | Annotated[UseSpec, Tag("<use>")], Discriminator(_kind_of_prompt)
]


class AnswerSpec(Spec):
    """How answers are read from samples; see `AnswerReader`."""

    kind: Text = "auto"
    pattern: Text | None = None
    field: Text | None = None
    tag: Text | None = None
    language: Text | None = None
    labels: list[Text] | None = None
    units: UnitRule = "by_kind"
    percent: PercentRule = "fraction"


def _no_truth(value: Any) -> Any:
    """Python takes true for 1."""
    if isinstance(value, bool):
        raise PydanticKnownError("literal_error", {"expected": "1"})
    return value


Version = Annotated[Literal[1], BeforeValidator(_no_truth)]


class IncludedSpec(Spec):
    """A file that others include: what it brings by name, and nothing that belongs to one run."""

    version: Version = 1
    include: list[Text] = Field(default_factory=list)
    models: dict[Text, ModelSpec] = Field(default_factory=dict)
    prompts: dict[Text, PromptSpec] = Field(default_factory=dict)
    verifiers: dict[Text, Any] = Field(default_factory=dict)
    programs: dict[Text, Any] = Field(default_factory=dict)


class ProgramSpec(Spec):
    """A whole file. `check`, `program`, `verifiers` and `programs` name parts of registries."""

    version: Version
    include: list[Text] = Field(default_factory=list)
    models: dict[Text, ModelSpec] = Field(default_factory=dict)
    budget: BudgetSpec = BudgetSpec()
    problem: ProblemSpec = ProblemSpec()
    problems: ProblemsSpec | None = None
    prompt: AnyPromptSpec = PromptSpec()
    prompts: dict[Text, PromptSpec] = Field(default_factory=dict)
    answer: AnswerSpec = AnswerSpec()
    verifiers: dict[Text, Any] = Field(default_factory=dict)
    check: Any = None
    programs: dict[Text, Any] = Field(default_factory=dict)
    program: Any
    outputs: dict[Text, Text] = Field(default_factory=dict)


def known_keys(
    data: Any, path: tuple[str | int, ...], top: type[ProgramSpec | IncludedSpec] = ProgramSpec
) -> list[str]:
    """The keys that may stand in the mapping at `path` of `data`, which is a file of the kind `top`."""
    spec: type[BaseModel] = top
    if path[:1] == ("models",):
        entry = data["models"][path[1]] if len(path) > 1 else None
        spec = _MODEL_KINDS.get(_kind_of_model(entry), CalledSpec)
        path = path[2:]
    elif path[:1] == ("prompts",):
        spec, path = PromptSpec, path[2:]
    elif path[:1] == ("prompt",) and len(path) == 1 and _kind_of_prompt(data["prompt"]) == "<use>":
        spec = UseSpec
        path = ()
    for step in path:
        spec = _NESTED.get(step, spec)
    return list(spec.model_fields)


_MODEL_KINDS: dict[str | None, type[BaseModel]] = {
    "<local>": LocalSpec,
    "<base_url>": EndpointSpec,
    "<replay>": ReplaySpec,
    "<backend>": BackendSpec,
}
_NESTED: dict[str | int, type[BaseModel]] = {
    "sampling": SamplingSpec,
    "price": PriceSpec,
    "budget": BudgetSpec,
    "per_problem": LimitsSpec,
    "problem": ProblemSpec,
    "problems": ProblemsSpec,
    "prompt": PromptSpec,
    "examples": ExampleSpec,
    "answer": AnswerSpec,
}
