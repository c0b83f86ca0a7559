"""Tensors of a training live where its network does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clodo.corpus.format import parse
from clodo.errors import ModelError, UsageError
from clodo.training import memory
from clodo.training.plan import Plan
from tests.training.tiny import rows, tiny_base

torch = pytest.importorskip("torch", reason="training needs `pip install 'clodo[train]'`")

RECORD = """=== t-1 | style=chatty | domain=t
Each [book|book] has a [title|book. !], a [label|book.] ([a|book.label =enum], [most|book.label =enum]) and a [place|book. ->house].
A [house|house] has a [kind|house. s], a [maker|house.] and at most [30|#] [letters|house.]. [Cars|ROLE:car] read [books|book], and a [film|film] of a [house|house].
---
film > house cascade
unique house kind maker
read book role:car
access login
next book.label a > most
"""


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    from clodo.training.base import load_base
    from clodo.training.network import Network

    encoder, tokenizer = load_base(tiny_base(tmp_path_factory.mktemp("base")))
    return Network(encoder), tokenizer


def test_every_tensor_of_a_batch_is_made_where_the_network_is(parts: tuple[Any, Any]) -> None:
    """Whatever is made without a device comes to be on ``meta``, which cannot be mixed with the network's."""
    from clodo.training.batches import batch_loss
    from clodo.training.evaluate import understand
    from clodo.training.examples import example

    network, tokenizer = parts
    made = example(parse(RECORD), tokenizer)
    plain = example(parse("=== t-2 | style=chatty | domain=t\nEach has a.\n---\nverdict vague\n"), tokenizer)
    with torch.device("meta"):
        loss, told = batch_loss(network, [made, plain])
        understand(network, tokenizer, "Each book has a title and a colour.")
    assert loss.device == network.device == torch.device("cpu")
    assert set(told) >= {"tags", "owner", "type", "values", "target", "relations", "roles", "together", "steps", "alias", "field_alias"}


def test_a_tensor_without_a_device_is_found_by_that(parts: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from clodo.training import batches
    from clodo.training.examples import example

    network, tokenizer = parts
    made = example(parse(RECORD), tokenizer)
    monkeypatch.setattr(batches, "collate", lambda examples, device: (torch.tensor([made.reading.pieces]), torch.tensor([[1] * len(made.reading.pieces)])))
    with torch.device("meta"), pytest.raises((RuntimeError, NotImplementedError)):
        batches.batch_loss(network, [made])


def test_the_device_is_the_best_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    from clodo.training.device import choose, usual_workers

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose("auto").type == "cpu" and usual_workers(choose("cpu"), 8) == 8
    with pytest.raises(UsageError, match="no device 'cuda'") as told:
        choose("cuda")
    assert told.value.hint == "Use one of auto, cpu."
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose("auto").type == "mps" and usual_workers(choose("auto"), 8) == 1
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert [choose("auto", rank).index for rank in range(3)] == [0, 1, 0]
    assert usual_workers(choose("auto"), 8) == 2 and choose("cpu").type == "cpu"


def test_memory_is_reckoned_from_the_base_and_the_processes(tmp_path: Path) -> None:
    from clodo.testing.bases import write_tiny_base

    small, large = (write_tiny_base(tmp_path / str(width), ["book"], width=width) for width in (32, 512))
    one = memory.encoder_bytes(small, 8, 1)
    assert memory.encoder_bytes(small, 8, 3) == pytest.approx(3 * one, rel=0.01)
    assert memory.encoder_bytes(large, 8, 1) > one + 24 * 4_000_000
    assert memory.encoder_bytes(large, 16, 1) > memory.encoder_bytes(large, 8, 1)


def test_too_little_memory_names_the_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: 2**30)
    memory.check(2**30)
    with pytest.raises(ModelError, match=r"in 4 processes needs about 2\.0 GiB of memory, and 1\.0 are free") as told:
        memory.check(2**31, 4)
    assert "--workers" in (told.value.hint or "")
    monkeypatch.setattr(memory, "available_bytes", lambda: None)
    memory.check(2**60)


def test_no_more_than_all_of_the_time_is_spent() -> None:
    plan = Plan(0.01)
    assert [plan.spent(s) for s in (0.0, 0.3, 0.6, 20.0)] == [0.0, pytest.approx(0.5), 1.0, 1.0]
    from clodo.training.train import State, _line

    assert _line(State(20.0, 8), plan, [1.0]).startswith("100%  8 examples") and rows(1)
