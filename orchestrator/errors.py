"""Every error `orchestrator` raises, in one tree.

OrchestratorError
├── InvalidInputError (ValueError)      the caller's mistake: arguments, flags, problem files
│   ├── ProgramFileError                a program file, with file, line, column and a hint
│   ├── ExpressionError                 an expression in one, with the place in its text and a hint
│   ├── TemplateError                   a template, with the place in it and a hint
│   └── UnknownPriceError               a money limit over a model whose price is not known
├── BudgetExceededError                 a reservation that does not fit
├── DeadlineExceededError               the deadline of the run, problem or branch has passed
├── BackendError                        one failed attempt at a model call
│   ├── ConnectFailedError              nothing was sent
│   ├── ConnectionLostError             sent, but the answer never arrived whole
│   ├── BackendTimeoutError             sent, and no answer in time
│   ├── MalformedResponseError          an answer arrived that cannot be read
│   ├── ContextLengthError              (InvalidInputError) a prompt longer than the model takes
│   ├── StatusError                     the server refused: an HTTP status of 400 or above
│   │   ├── RateLimitedError            429
│   │   ├── AuthenticationError         401, 403
│   │   └── ModelNotFoundError          404
│   └── ScriptExhaustedError            a scripted or replayed backend has no further sample
├── EqualityError                       a user's predicate failed on two answers
├── EndpointError                       a local model server that did not start, or died
├── SandboxMissingError                 no sandbox to run programs in on this machine
├── ModelFetchError                     weights that could not be fetched or verified
└── JournalError                        a journal that cannot be opened or written
    └── JournalMismatchError            resuming with another program or seed
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .excerpts import harmless, pointed

if TYPE_CHECKING:
    from .budget import Ledger
    from .types import Answer, Usage

__all__ = [
    "AuthenticationError",
    "BackendError",
    "BackendTimeoutError",
    "BudgetExceededError",
    "ConnectFailedError",
    "ConnectionLostError",
    "ContextLengthError",
    "DeadlineExceededError",
    "EndpointError",
    "EqualityError",
    "ExpressionError",
    "InvalidInputError",
    "JournalError",
    "JournalMismatchError",
    "MalformedResponseError",
    "ModelFetchError",
    "ModelNotFoundError",
    "OrchestratorError",
    "ProgramFileError",
    "RateLimitedError",
    "SandboxMissingError",
    "ScriptExhaustedError",
    "StatusError",
    "TemplateError",
    "UnknownPriceError",
    "most_telling",
]


class OrchestratorError(Exception):
    """The root: catching it catches everything this library raises on purpose."""


class InvalidInputError(OrchestratorError, ValueError):
    """The caller asked for something that cannot be: says what was given and what was expected."""


class ProgramFileError(InvalidInputError):
    """A program file that cannot be loaded.

    Attributes:
        file: Path as it was given.
        line: 1-based line, or None when the file as a whole is meant.
        column: 1-based column, or None.
        hint: What to write instead, or None.
        source: The offending line as it stands in the file, or None.
        others: Further mistakes in the same program, in the order of its files.
        unsaid: How many more there are that are not among `others`.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str,
        line: int | None = None,
        column: int | None = None,
        hint: str | None = None,
        source: str | None = None,
        others: tuple[ProgramFileError, ...] = (),
        unsaid: int = 0,
    ) -> None:
        self.message, self.file, self.line, self.column, self.hint = message, file, line, column, hint
        self.source, self.others, self.unsaid = source, others, unsaid
        super().__init__(message)

    def __str__(self) -> str:
        return "\n".join((self._said(), *(other._said() for other in self.others), *self._last()))

    def _said(self) -> str:
        """This mistake alone: place and message, the line with a caret under the place, and the hint."""
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        said = harmless(f"{place}: {self.message}")
        if self.source is not None and self.column is not None:
            said += "".join(f"\n    {line}" for line in pointed(self.source, self.column))
        return said + (harmless(f"\n  hint: {self.hint}") if self.hint else "")

    def _last(self) -> tuple[str, ...]:
        return (f"and {self.unsaid} more mistakes",) if self.unsaid else ()


class ExpressionError(InvalidInputError):
    """An expression that is refused.

    Attributes:
        message: What is wrong, and what was expected.
        offset: Where in its text, in characters from 0.
        hint: What to write instead, or None.
    """

    def __init__(self, message: str, *, offset: int = 0, hint: str | None = None) -> None:
        self.message, self.offset, self.hint = message, offset, hint
        super().__init__(message + (f"; {hint}" if hint else ""))


class TemplateError(InvalidInputError):
    """A template that cannot be read, or not be filled with what there is.

    Attributes:
        message: What is wrong.
        offset: Characters from the template's start to the place, or None when the whole is meant.
        hint: What to write instead, or None.
    """

    def __init__(self, message: str, *, offset: int | None = None, hint: str | None = None) -> None:
        self.message, self.offset, self.hint = message, offset, hint
        super().__init__(message + (f"\n  hint: {hint}" if hint else ""))


class UnknownPriceError(InvalidInputError):
    """A limit in US dollars is set, and what a model costs is not known."""

    def __init__(self, model: str) -> None:
        self.model = model
        super().__init__(
            f"the budget limits money, but the price of model {model!r} is not known; give it in US dollars "
            "per million tokens (0 for a model of your own): --price-in and --price-out, or "
            "price: {input: 0.10, output: 0.30} in a program file, or price={'input': 0.10, 'output': 0.30} in Python"
        )


class BudgetExceededError(OrchestratorError):
    """A reservation that does not fit the budget.

    Attributes:
        account: Label of the account that refused (`run`, a problem's id, a branch's label).
        resource: Which limit: `prompt_tokens`, `completion_tokens`, `total_tokens`, `requests` or `usd`.
        requested: What was asked for, in that resource's unit.
        remaining: What was left of the limit, in that resource's unit (negative after an overrun).
        in_flight: Refused only because other calls hold part of what is left; it may fit once they end.
        ledger: The account itself, as labels are not unique; None where no `Ledger` refused.
    """

    def __init__(
        self,
        *,
        account: str,
        resource: str,
        requested: float,
        remaining: float,
        in_flight: bool = False,
        ledger: Ledger | None = None,
    ) -> None:
        self.account, self.resource, self.ledger = account, resource, ledger
        self.requested, self.remaining, self.in_flight = requested, remaining, in_flight
        super().__init__(
            f"budget of {account!r}: {requested:.15g} {resource} asked for, {remaining:.15g} left"
            + (", part of it held by calls in flight" if in_flight else "")
        )


class DeadlineExceededError(OrchestratorError):
    """The deadline of an account has passed; nothing more is sent under it.

    Attributes:
        account: Label of the account.
        ledger: The account itself, as labels are not unique; None where it is no `Ledger`'s deadline.
    """

    def __init__(self, *, account: str, ledger: Ledger | None = None) -> None:
        self.account, self.ledger = account, ledger
        super().__init__(f"the deadline of {account!r} has passed")


class BackendError(OrchestratorError):
    """One attempt at a model call failed.

    Attributes:
        retryable: Whether the same request may succeed later.
        maybe_billed: Whether the model may have done the work although no usable answer arrived; such an
            attempt is charged at its worst case.
        retry_after: Seconds the server asked to wait, or None.
        usage: What the attempt was charged, once it has been settled; None before.
    """

    retryable = False
    maybe_billed = False

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.usage: Usage | None = None


class ConnectFailedError(BackendError):
    """No connection could be made, so nothing was sent and nothing is owed."""

    retryable = True


class ConnectionLostError(BackendError):
    """The connection broke after the request was sent."""

    retryable = True
    maybe_billed = True


class BackendTimeoutError(BackendError):
    """No whole answer arrived within the time allowed for one attempt."""

    retryable = True
    maybe_billed = True


class MalformedResponseError(BackendError):
    """A whole answer arrived, and it is not what the protocol says."""

    retryable = True
    maybe_billed = True


class ContextLengthError(BackendError, InvalidInputError):
    """The prompt leaves no room for an answer in the model's context; nothing was sent.

    The caller's mistake where it is the question that is too long. Where earlier answers made it so (a chain, a judge
    that is shown an answer) it is one failed call, as it is with a server whose context length is not known.
    """


class StatusError(BackendError):
    """The server answered with an HTTP error status; an answer that was refused is not billed.

    Attributes:
        status: The HTTP status, 400 to 599.
    """

    def __init__(self, message: str, *, status: int, retry_after: float | None = None) -> None:
        super().__init__(message, retry_after=retry_after)
        self.status = status
        self.retryable = status in (408, 409, 425, 429) or status >= 500

    @staticmethod
    def of(status: int, message: str, *, retry_after: float | None = None) -> StatusError:
        """The subclass that fits `status`."""
        kinds: dict[int, type[StatusError]] = {
            401: AuthenticationError,
            403: AuthenticationError,
            404: ModelNotFoundError,
            429: RateLimitedError,
        }
        return kinds.get(status, StatusError)(message, status=status, retry_after=retry_after)


class RateLimitedError(StatusError):
    """429: too many requests or tokens in the server's window."""


class AuthenticationError(StatusError):
    """401 or 403: the key is missing, wrong, or not allowed to use this model."""


class ModelNotFoundError(StatusError):
    """404: no such model or route at this base URL."""


class ScriptExhaustedError(BackendError):
    """A scripted or replayed backend was asked for more samples than it holds."""


class EqualityError(OrchestratorError):
    """The function that says whether two answers are equal failed on a pair.

    Attributes:
        first, second: The answers it was asked about.
    """

    def __init__(self, first: Answer, second: Answer, error: Exception) -> None:
        self.first, self.second = first, second
        super().__init__(
            f"the predicate failed on {first.text!r} and {second.text!r}: {type(error).__name__}: {error}"
        )


class EndpointError(OrchestratorError):
    """A local model server did not start, or stopped answering.

    Attributes:
        log_tail: The last lines the server printed, possibly empty.
    """

    def __init__(self, message: str, *, log_tail: str = "") -> None:
        self.log_tail = log_tail
        super().__init__(message + (f"\nthe server's last lines:\n{log_tail}" if log_tail else ""))


class SandboxMissingError(OrchestratorError):
    """Programs cannot be run safely on this machine; says why, and how to change that."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(
            f"{why}\nPrograms are run in bubblewrap: apt install bubblewrap (dnf install bubblewrap, pacman -S "
            "bubblewrap), on Linux with user namespaces allowed, or as root with CAP_SYS_ADMIN. To run programs with "
            "your own rights and no isolation, ask for it by name: sandbox=UnsafeLocal()"
        )


class ModelFetchError(OrchestratorError):
    """A model's weights could not be found, fetched or verified; says what to do instead."""


class JournalError(OrchestratorError):
    """The journal cannot be opened, read or written; says which file and why."""


class JournalMismatchError(JournalError):
    """The journal was written by another program, seed or problem set than the one resuming it.

    Attributes:
        diff: What differs between the program of the journal and the one resuming it, as a unified diff; "" when
            something else is the matter, or an old journal does not say.
    """

    def __init__(self, message: str, *, diff: str = "") -> None:
        self.diff = diff
        super().__init__(message)


def most_telling(error: BaseException) -> BaseException:
    """The exception to tell of a (nested) group: the first that is more than a limit reached, else the first."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    leaves = [most_telling(inner) for inner in error.exceptions]
    limits = (BudgetExceededError, DeadlineExceededError)
    return next((leaf for leaf in leaves if not isinstance(leaf, limits)), leaves[0])
