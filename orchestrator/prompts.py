"""How a problem is put to a model: as a chat, or as a plain text with worked examples for a base model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from .errors import InvalidInputError
from .types import Message, Problem

__all__ = ["Example", "Prompt", "Rendered"]

PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A worked example: a question and the answer a model should have given."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A problem ready to be sent: messages for a chat model, a text and its stop texts for a base model."""

    messages: tuple[Message, ...] | None = None
    prompt: str | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A template around a problem.

    Placeholders are `{{ problem }}` (the problem's text) and `{{ column }}` for a further column of its record;
    they insert text and nothing else.

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
            InvalidInputError: A placeholder names no field of the problem, or a chat problem meets a base model.
        """
        if chat and not self.completion:
            return Rendered(messages=self._messages(problem))
        return self._text(problem)

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
        return Rendered(prompt="\n\n".join(parts), stop=(f"\n{self.question_label}", "\n\n"))

    def _fill(self, problem: Problem) -> str:
        values: Mapping[str, object] = {**problem.fields, "problem": problem.prompt or ""}

        def value(match: re.Match[str]) -> str:
            if (name := match[1]) not in values:
                known = ", ".join(sorted(values))
                raise InvalidInputError(
                    f"the template names {{{{ {name} }}}}, but problem {problem.id!r} has only: {known}"
                )
            return _as_text(values[name])

        return PLACEHOLDER.sub(value, self.template)


def _asking(problem: Problem, example: Example) -> Problem:
    return replace(problem, prompt=example.question)


def _as_text(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(str(part) for part in value)
    return str(value)
