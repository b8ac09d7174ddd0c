"""How a problem is put to a model: as a chat, or as a plain text with worked examples for a base model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from .errors import InvalidInputError
from .expressions import is_declared
from .templates import Template
from .types import Message, Problem

__all__ = ["Example", "Prompt", "Rendered", "fill", "question_text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A worked example: a question and the answer a model should have given."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What is ready to be sent: messages for a chat model, a text and its stop texts for a base model.

    Attributes:
        messages: A chat, oldest message first; or None.
        prompt: A text to continue; or None.
        stop: Texts that end an answer.
        labels: What stands before a question and before an answer in a text.
    """

    messages: tuple[Message, ...] | None = None
    prompt: str | None = None
    stop: tuple[str, ...] = ()
    labels: tuple[str, str] = ("Question:", "Answer:")

    def then(self, said: str, asked: str) -> Rendered:
        """The conversation after the model has said `said` and is asked `asked`."""
        if self.messages is not None:
            turns: tuple[Message, ...] = (
                {"role": "assistant", "content": said},
                {"role": "user", "content": asked},
            )
            return replace(self, messages=self.messages + turns)
        question, answer = self.labels
        return replace(self, prompt=f"{self.prompt} {said.strip()}\n\n{question} {asked}\n{answer}")

    def adding(self, text: str) -> Rendered:
        """The same question with `text` at its end."""
        if self.messages is None:
            prompt, label = self.prompt or "", f"\n{self.labels[1]}"
            asked = prompt.removesuffix(label)
            return replace(self, prompt=f"{asked}\n{text}{prompt[len(asked) :]}")
        before, last = self.messages[:-1], self.messages[-1]
        content = last.get("content")
        more: Message
        if last.get("role") != "user":
            before, more = self.messages, {"role": "user", "content": text}
        elif isinstance(content, str):
            more = {**last, "content": f"{content}\n\n{text}"}
        else:
            more = {**last, "content": [*(content or ()), {"type": "text", "text": text}]}
        return replace(self, messages=(*before, more))

    def continued(self, text: str) -> Rendered:
        """The same question with the beginning of its answer, which the model goes on writing.

        A chat then ends in a message of the assistant. llama.cpp's server continues it, and a backend that has
        found vLLM behind its endpoint asks for that; other servers may begin a new message.
        """
        if not text:
            return self
        if self.messages is None:
            begun = text if text[0].isspace() or not self.prompt else f" {text}"
            return replace(self, prompt=f"{self.prompt}{begun}")
        return replace(self, messages=(*self.messages, {"role": "assistant", "content": text}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A template around a problem.

    `{{ problem }}` is the problem's text, `{{ column }}` a further column of its record; `{% if column %}` and
    `{% for part in column %}` are there as well (`orchestrator.templates`).

    Attributes:
        system: System message; for a base model it comes first in the text. None for none.
        template: The question as the model sees it.
        examples: Worked examples: earlier turns in a chat, `question_label`/`answer_label` pairs in a text.
        question_label: What stands before a question in a text.
        answer_label: What stands before an answer in a text.
        completion: Send a plain text even to a model that takes chats.
    """

    system: str | None = None
    template: str = "{{ problem }}"
    examples: tuple[Example, ...] = ()
    question_label: str = "Question:"
    answer_label: str = "Answer:"
    completion: bool = False

    def render(self, problem: Problem, *, chat: bool = True) -> Rendered:
        """`problem` as messages (`chat`) or as a text to continue.

        Raises:
            InvalidInputError: The template names no field of the problem, or a chat problem meets a base model.
        """
        if chat and not self.completion:
            return Rendered(messages=self._messages(problem))
        return self._text(problem)

    def question(self, problem: Problem) -> str:
        """`problem` in words, as the model is asked it: through the template, without system message and examples."""
        return question_text(problem) if problem.prompt is None else self._fill(problem)

    def _messages(self, problem: Problem) -> tuple[Message, ...]:
        messages: list[Message] = []
        if self.system is not None:
            messages.append({"role": "system", "content": self.system})
        for example in self.examples:
            messages.append({"role": "user", "content": self._fill(_asking(problem, example))})
            messages.append({"role": "assistant", "content": example.answer})
        if problem.messages is not None:
            return (*messages, *problem.messages)
        return (*messages, {"role": "user", "content": self._fill(problem)})

    def _text(self, problem: Problem) -> Rendered:
        if problem.prompt is None:
            raise InvalidInputError(
                f"problem {problem.id!r} is a chat, and this model only continues plain text: give it a prompt"
            )
        parts = [] if self.system is None else [self.system]
        parts += [
            f"{self.question_label} {self._fill(_asking(problem, example))}\n{self.answer_label} {example.answer}"
            for example in self.examples
        ]
        parts.append(f"{self.question_label} {self._fill(problem)}\n{self.answer_label}")
        return Rendered(
            prompt="\n\n".join(parts),
            stop=(f"\n{self.question_label}", "\n\n"),
            labels=(self.question_label, self.answer_label),
        )

    def _fill(self, problem: Problem) -> str:
        values = {**problem.fields, "problem": problem.prompt or ""}
        return fill(self.template, values, of=f"problem {problem.id!r}")


def fill(template: str, values: Mapping[str, object], *, of: str = "it") -> str:
    """`template` with the values it names; what is inserted is not read again.

    Args:
        template: Text in the language of `orchestrator.templates`.
        values: What there is to insert; lists are joined by commas.
        of: Whose values they are, for the error.

    Raises:
        InvalidInputError: It names none of them, or is not in the language.
    """
    compiled = Template.of(template)
    if missing := [name for name in compiled.names if name not in values]:
        known, name = ", ".join(sorted(values)), min(missing, key=compiled.place)
        raise InvalidInputError(f"the template names {{{{ {name} }}}}, but {of} has only: {known}")
    return compiled.render({name: _insertable(values[name]) for name in compiled.names})


def question_text(problem: Problem) -> str:
    """The problem in words, for a prompt about it: its text, or the turns of its chat one after the other."""
    if problem.prompt is not None:
        return problem.prompt
    turns = [message.get("content") for message in problem.messages or ()]
    return "\n\n".join(turn for turn in turns if isinstance(turn, str))


def _asking(problem: Problem, example: Example) -> Problem:
    return replace(problem, prompt=example.question)


def _insertable(value: object) -> object:
    """A value of the template language; what a record has of other kinds is its words."""
    if value is None or isinstance(value, str | int | float):
        return value
    if type(value) in (list, tuple):
        return [_insertable(part) for part in cast("Sequence[object]", value)]
    return value if is_declared(value) else str(value)
