"""Linear layers whose products are computed in bfloat16, on processors that have tiles for it (Intel's AMX).

Weights, activations and gradients stay in single precision; only the factors of a product are rounded, and it is summed up in
single precision (``docs/experiments.md`` has what it brings).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

#: Lengths are padded to a multiple of this: the library prepares a product anew for each shape that it has not seen.
STEP = 16


def has_tiles() -> bool:
    """Whether this processor has tiles for products in bfloat16."""
    return bool(torch.cpu.get_capabilities().get("amx_bf16"))


def use_tiles(module: nn.Module) -> None:
    """Lets the linear layers of a module compute in such a way from now on."""
    for layer in module.modules():
        if type(layer) is nn.Linear:
            layer.forward = _Forward(layer)


class _Forward:
    def __init__(self, layer: nn.Linear) -> None:
        self.layer = layer

    def __call__(self, x: Tensor) -> Tensor:
        result: Tensor = _Product.apply(x, self.layer.weight, self.layer.bias)
        return result


@contextmanager
def _rounded() -> Iterator[None]:
    settings: Any = torch.backends.mkldnn.matmul
    before = settings.fp32_precision
    settings.fp32_precision = "bf16"
    try:
        yield
    finally:
        settings.fp32_precision = before


class _Product(torch.autograd.Function):  # type: ignore[misc]
    """``x [..., in]``, ``weight [out, in]``, ``bias [out]`` → ``[..., out]``. The gradient is that of a linear layer."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        with _rounded():
            return F.linear(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        gradient = gradients[0].reshape(-1, weight.shape[0])
        of_x, of_weight, of_bias = ctx.needs_input_grad
        with _rounded():
            return (
                (gradient @ weight).view_as(x) if of_x else None,
                gradient.t() @ x.reshape(-1, x.shape[-1]) if of_weight else None,
                gradient.sum(0) if of_bias else None,
            )
