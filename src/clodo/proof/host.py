"""The Node process that bundles and runs Workers, driven over JSON lines (``host.mjs``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from clodo.proof.process import HostError, NodeProcess
from clodo.proof.session import StatementRefused
from clodo.proof.settings import SettingsError, read_settings
from clodo.toolchain import Toolchain

__all__ = ["Host", "HostError", "Served"]


@dataclass(frozen=True)
class Served:
    """A Worker that runs: where it answers, its size (bytes, minified and gzipped), the
    migrations that were applied to its database and its lines of cron."""

    url: str
    gzip: int
    applied: tuple[str, ...]
    crons: tuple[str, ...] = ()


class Host(NodeProcess):
    """One Node process with one Miniflare. It serves one Worker at a time and ends with Python."""

    def __init__(self, toolchain: Toolchain) -> None:
        super().__init__(toolchain, files("clodo.proof").joinpath("host.mjs"))

    def serve(
        self,
        directory: Path,
        *,
        bindings: Mapping[str, str],
        bound: Mapping[str, str] | None = None,
        mailable: Sequence[str] | None = None,
        port: int | None = None,
        persist: Path | None = None,
        timeout: float = 60,
    ) -> Served:
        """Bundles the service in ``directory``, boots it as its ``wrangler.jsonc`` says and applies its migrations.
        ``bindings`` stand above the variables of ``wrangler.jsonc``, as those of ``.dev.vars`` do for wrangler. ``bound`` are
        further Workers that service bindings lead to: name of the binding → source of the module, which has the same variables.
        Mail bindings take mails to the addresses of ``mailable`` alone, where it is given.

        Raises:
            HostError: it does not bundle, boot or migrate, or its configuration cannot be read.
        """
        try:
            settings = read_settings(directory)
        except SettingsError as error:
            raise HostError(error.message, hint=error.hint) from None
        answer = self.call(
            "serve",
            timeout,
            directory=str(directory.resolve()),
            entry="src/index.ts",
            bindings={**settings.variables, **bindings},
            bound=dict(bound or {}),
            mailable=None if mailable is None else [*mailable],
            database="DB",
            port=port,
            persist=str(persist.resolve()) if persist else None,
            compatibilityDate=settings.compatibility_date,
            compatibilityFlags=settings.compatibility_flags,
            sections=settings.bindings,
        )
        return Served(answer["url"].rstrip("/"), answer["gzip"], tuple(answer["applied"]), settings.crons)

    def query(self, sql: str, values: list[Any]) -> list[dict[str, Any]]:
        """The rows of one statement on the database of the Worker that runs.

        Raises:
            StatementRefused: a constraint or a trigger of the database is against it.
            HostError: it could not be run.
        """
        try:
            answer = self.call("query", 30, sql=sql, values=values)
        except HostError as error:
            if "SQLITE_CONSTRAINT" in error.message:
                raise StatementRefused(error.message) from None
            raise
        return list(answer["rows"])

    def scheduled(self, cron: str) -> str:
        """Lets the Worker that runs do what it does at the times of a cron line, and waits until it is done. Gives how its handler
        failed, empty where it did not.

        Raises:
            HostError: it has no such handler, or cannot be reached.
        """
        return str(self.call("scheduled", 60, cron=cron)["failure"])

    def delivered(self, queue: str, message: Any) -> None:
        """Puts a message into the queue of a binding of the Worker that runs.

        Raises:
            HostError: there is no such binding.
        """
        self.call("delivered", 30, queue=queue, message=message)

    def reset(self) -> None:
        """Ends the Worker that runs and forgets its database."""
        self.call("reset", 30)
