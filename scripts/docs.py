"""Writes the parts of the docs that come from the code: ``python -m scripts.docs`` (``make docs``)."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from click.testing import CliRunner

from clodo.bricks.registry import bricks
from clodo.cli import main
from scripts.faults import planted

DOCS = Path(__file__).parents[1] / "docs"

COMMANDS = {
    "generate": "The main job: description → blueprint → service → proof. On a terminal it shows the description, "
    "coloured by what was understood, and the blueprint, and lets you accept, edit or rephrase it.",
    "blueprint": "The first half of `generate`: what the model understands, and nothing else. On a terminal the description, coloured by "
    "what was understood, stands before it on stderr. In the JSON `parts` are what stands in the blueprint, each with the words that it comes from (`spans`, in characters), and `not_understood` what was heard and does not stand there. Questions, where there is no blueprint, are about what was heard and quote it.",
    "build": "From a blueprint that you have; no model is used. With `--force` an older service in the folder is replaced: only "
    "files that Clodo generated, and none that you have edited unless `--discard-edits` says so. Everything else in the folder "
    "stays: secrets, local data, packages, git, your own files. A failure leaves it as it was.",
    "verify": "The proof of a service folder, also of one that you have changed by hand.",
    "dev": "Serves a folder with its migrations applied and its data kept in `.wrangler/`; `ready http://…` is "
    "printed once `/health` answered, and again after each change of a file. An edit of `blueprint.clodo` builds the service "
    "anew in place, as `clodo build --force` does: where you have edited other files that it would replace, it says so and "
    "leaves all as it is.",
    "eval": "Measures models on sets of descriptions whose meaning is known; `evals/README.md` has the shapes of sets and "
    "the current figures. A JSONL file of [your own pairs](training.md#your-own-pairs) is a set too. Where nothing was there to judge "
    "of stands –. Exit status 1 where a model answered none of the texts, as an endpoint that is down does.",
    "train": "Makes a model from your own descriptions and blueprints, or the built-in one anew; `docs/training.md` has the "
    "whole story.",
    "edge build": "A model made ready to run in Workers: a folder that works without Clodo; [edge](edge.md) has the whole story.",
    "edge dev": "Serves such a folder in workerd, all its Workers; `ready http://…` is printed once it answered.",
    "edge deploy": "Deploys it through wrangler, the Workers that others call first. `--dry-run` only bundles, and shows sizes.",
    "edge bench": "Speed beside native llama.cpp, memory of each isolate, cold start, measured in workerd.",
    "edge score": "How well a keep-warm policy would have served a log of requests.",
    "doctor": "What is installed, what is missing or damaged (files of models are read and hashed), and the command that mends it.",
}

HEAD = """# The command line

stdout is data, stderr is talk. With `--json` stdout carries exactly one JSON document. Exit status: 0 done; 1 the job
failed, and nothing half-written is left; 2 the call is wrong; 3 the description is too unclear or is no service: the
questions are printed and nothing is written; 130 stopped with Ctrl-C.

Environment: `CLODO_CACHE` is the folder for what is fetched once (toolchain, models), `CLODO_MODEL` the model that is
used where `--model` is not given, `CLODO_PRIVACY` the policy where `--privacy` is not, `CLODO_API_KEY` the key for endpoints of
`--model http(s)://…`; [providers](providers.md) has those of other providers, of budgets and of hybrids. With `CLODO_DEBUG=1`
an error that Clodo did not foresee is shown with its traceback.

This page is written by `make docs`; a test holds it against the program.
"""


def cli_page() -> str:
    """The text of ``docs/cli.md``."""
    parts = [HEAD]
    for name, words in COMMANDS.items():
        result = CliRunner().invoke(main, [*name.split(), "--help"], prog_name="clodo", terminal_width=80)
        parts.append(f"## clodo {name}\n\n{words}\n\n```text\n{result.output.rstrip()}\n```\n")
    return "\n".join(parts)


BRICKS_HEAD = """# All bricks

What services are put together from: what each brick adds to the language, to the service and to the proof, and, where it has
words of its own, a blueprint that the tests build and prove. [Bricks](bricks.md) tells how to make one.

This page is written by `make docs` from the pages of the bricks; a test holds it against them. Of each brick it tells how many faults are planted in its code by the
tests, one at a time: all of them are found by the proof (`make faults`; `make test` plants one for each check).
"""


def bricks_page() -> str:
    """The text of ``docs/all-bricks.md``."""
    parts = [BRICKS_HEAD]
    faults = planted()
    for brick in bricks():
        folder = Path(str(files(brick.package)))
        page = (folder / "README.md").read_text("utf-8").strip()
        page = re.sub(r"^(#+) ", r"#\1 ", page, flags=re.MULTILINE)
        page += f"\n\n**Planted faults.** {faults[brick.name]}, all found."
        example = folder / "example.clodo"
        if example.is_file() and "```" not in page:
            page += f"\n\n```clodo\n{example.read_text('utf-8')}```"
        parts.append(page + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    (DOCS / "cli.md").write_text(cli_page(), "utf-8")
    (DOCS / "all-bricks.md").write_text(bricks_page(), "utf-8")
    print("docs/cli.md docs/all-bricks.md")
