"""Products in bfloat16: the results and gradients are those of a linear layer, but for the rounding."""

from __future__ import annotations

import copy
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="training needs `pip install 'clodo[train]'`")


def _run(module: Any, x: Any) -> list[Any]:
    x = x.clone().requires_grad_()
    result = module(x)
    module.zero_grad()
    (result * torch.arange(1.0, 1 + result.shape[-1])).sum().backward()
    return [result.detach(), x.grad, *(p.grad for p in module.parameters())]


def test_results_and_gradients_are_those_of_linear_layers() -> None:
    from clodo.training.mixed_precision import use_bfloat16

    torch.manual_seed(1)
    plain = torch.nn.Sequential(torch.nn.Linear(24, 32), torch.nn.GELU(), torch.nn.Linear(32, 8))
    rounded = copy.deepcopy(plain)
    use_bfloat16(rounded)
    x = torch.randn(3, 16, 24)
    for ours, theirs in zip(_run(rounded, x), _run(plain, x), strict=True):
        assert ours.shape == theirs.shape
        assert float((ours - theirs).abs().max()) <= 0.02 * float(theirs.abs().max())
    assert torch.backends.mkldnn.matmul.fp32_precision == "none", "other products are as exact as before"


def test_a_layer_needs_no_bias() -> None:
    from clodo.training.mixed_precision import use_bfloat16

    torch.manual_seed(1)
    plain = torch.nn.Linear(24, 8, bias=False)
    rounded = copy.deepcopy(plain)
    use_bfloat16(rounded)
    x = torch.randn(2, 3, 24)
    for ours, theirs in zip(_run(rounded, x), _run(plain, x), strict=True):
        assert float((ours - theirs).abs().max()) <= 0.02 * float(theirs.abs().max())


def test_a_copy_computes_with_its_own_weights_and_what_is_held_fast_gets_no_gradient() -> None:
    from clodo.training.mixed_precision import use_bfloat16

    layer = torch.nn.Linear(4, 2)
    use_bfloat16(layer)
    other = copy.deepcopy(layer)
    with torch.no_grad():
        other.weight.zero_()
        other.bias.zero_()
    assert float(other(torch.ones(1, 4)).abs().sum()) == 0.0 < float(layer(torch.ones(1, 4)).abs().sum())
    layer.weight.requires_grad_(False)
    layer(torch.ones(1, 4)).sum().backward()
    assert layer.weight.grad is None and layer.bias.grad is not None
