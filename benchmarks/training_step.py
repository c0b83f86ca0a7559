"""Steps of a training with products in bfloat16 beside the same steps without: ``python -m benchmarks.training_step [--batches N]``.

Processor time of one thread, the same batches in turn. Says so where the processor has none.
"""

from __future__ import annotations

import argparse
import itertools
import random
import time
from typing import Any

import torch

from clodo.app.training import base_of
from clodo.training.base import load_base
from clodo.training.batches import batch_loss, batches
from clodo.training.data import Mixture
from clodo.training.mixed_precision import has_bfloat16, use_bfloat16
from clodo.training.network import Network
from clodo.training.plan import Plan


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--batches", type=int, default=24)
    given = parser.parse_args()
    if not has_bfloat16():
        print("This processor has no products in bfloat16: clodo train computes in single precision throughout.")
        return
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    plan = Plan(1)
    base = base_of("minilm-l6", print)[1]
    encoder, tokenizer = load_base(base)
    rounded, _ = load_base(base)
    use_bfloat16(rounded)
    networks = Network(encoder).train(), Network(rounded).train()
    stream = batches(Mixture(random.Random(1), plan.written_share).records(), tokenizer, plan.batch)
    spent = [0.0, 0.0]
    seen = 0
    for number, examples in enumerate(itertools.islice(stream, given.batches + 4)):
        # The first steps find out how to compute each shape.
        seconds = [_step(network, examples) for network in networks]
        if number >= 4:
            spent = [a + b for a, b in zip(spent, seconds, strict=True)]
            seen += len(examples)
    single, rounded = (seen / s for s in spent)
    print(f"{single:.1f} examples a second in single precision, {rounded:.1f} with products in bfloat16: {rounded / single:.2f} times as many.")


def _step(network: Network, examples: list[Any]) -> float:
    began = time.process_time()
    loss, _ = batch_loss(network, examples)
    network.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    return time.process_time() - began


if __name__ == "__main__":
    main()
