"""Linear layers whose products are computed in bfloat16, on processors that have instructions for it (AMX, AVX-512 BF16).

Weights, activations and gradients stay in single precision; only the factors and the result of a product are rounded, and it is
summed up in single precision (Micikevicius et al. 2018; ``docs/experiments.md`` has what it brings).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

#: Lengths are padded to a multiple of this: the library prepares a product anew for each shape that it has not seen.
STEP = 16


def has_bfloat16() -> bool:
    """Whether this processor has instructions for products in bfloat16."""
    able = torch.cpu.get_capabilities()
    return bool(able.get("amx_bf16") or able.get("avx512_bf16"))


def use_bfloat16(module: nn.Module) -> None:
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


class _Product(torch.autograd.Function):  # type: ignore[misc]
    """``x [..., in]``, ``weight [out, in]``, ``bias [out]`` or none → ``[..., out]``. The gradient is that of a linear layer."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        rows, factors = _rounded(x.reshape(-1, x.shape[-1])), _rounded(weight)
        ctx.save_for_backward(rows, factors)
        product = F.linear(rows, factors).float()
        return (product if bias is None else product.add_(bias)).view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        rows, factors = ctx.saved_tensors
        gradient = gradients[0].reshape(-1, factors.shape[0])
        rounded = _rounded(gradient)
        of_x, of_weight, of_bias = ctx.needs_input_grad
        return (
            (rounded @ factors).float().view(*gradients[0].shape[:-1], -1) if of_x else None,
            (rounded.t() @ rows).float() if of_weight else None,
            gradient.sum(0) if of_bias else None,
        )


def _rounded(values: Tensor) -> Tensor:
    return values.to(torch.bfloat16)
