"""The one error tree.

Every failure that a user can meet is a ``ClodoError`` with a ``code`` (stable, kebab-case), one
plain sentence, a ``hint`` (what to do next) and whether trying again can help::

    ClodoError
    ├── UsageError           exit 2   the call is wrong
    ├── UnclearDescription   exit 3   the description needs answers first
    ├── BlueprintError       exit 1   the blueprint cannot be read or is contradictory
    ├── PluginError          exit 1   a plug-in cannot be loaded
    ├── ToolchainError       exit 1   Node, npm packages or workerd are missing or broken
    ├── ModelError           exit 1   a model cannot be found, loaded or used
    ├── ProofError           exit 1   the proof could not be carried out
    ├── DeploymentError      exit 1   wrangler could not deploy
    ├── WorkspaceError       exit 1   the user's folder cannot be written as asked
    ├── InternalError        exit 1   Clodo stumbled over itself
    └── Interrupted          exit 130 the user stopped it

It is mapped once to an exit status (here) and once to output (``clodo.cli``).
"""

from __future__ import annotations


class ClodoError(Exception):
    """A failure with a code, one sentence and a next step."""

    code = "error"
    exit_status = 1
    retryable = False

    def __init__(
        self, message: str, *, hint: str = "", code: str | None = None, retryable: bool | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code is not None:
            self.code = code
        if retryable is not None:
            self.retryable = retryable

    @property
    def details(self) -> tuple[str, ...]:
        """What people are told between the sentence and the hint, an item each."""
        return ()

    def to_json(self) -> dict[str, object]:
        """The error as the ``error`` member of a JSON answer."""
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "retryable": self.retryable,
        }


class UsageError(ClodoError):
    """The call itself is wrong."""

    code = "usage"
    exit_status = 2


class UnclearDescription(ClodoError):
    """The description is too unclear, contradictory, or not of a service."""

    code = "unclear"
    exit_status = 3

    def __init__(self, message: str, *, questions: tuple[str, ...], hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.questions = questions

    @property
    def details(self) -> tuple[str, ...]:
        return self.questions

    def to_json(self) -> dict[str, object]:
        return {**super().to_json(), "questions": list(self.questions)}


class BlueprintError(ClodoError):
    """A blueprint that cannot be read, or that contradicts itself."""

    code = "blueprint"


class PluginError(ClodoError):
    """A plug-in that cannot be loaded, or that meets another."""

    code = "plugin"


class ToolchainError(ClodoError):
    """A part of the Workers toolchain is missing or broken."""

    code = "toolchain"


class ModelError(ClodoError):
    """A model cannot be found, checked, loaded or used."""

    code = "model"


class ProofError(ClodoError):
    """The proof itself could not be carried out (not: it found a fault)."""

    code = "proof"


class DeploymentError(ClodoError):
    """Wrangler could not deploy."""

    code = "deployment"


class WorkspaceError(ClodoError):
    """A folder of the user's cannot be read or written as asked."""

    code = "workspace"


class InternalError(ClodoError):
    """Something that nobody foresaw: a fault of Clodo's own."""

    code = "internal"


class Interrupted(ClodoError):
    """The user stopped the command."""

    code = "interrupted"
    exit_status = 130
    retryable = True
