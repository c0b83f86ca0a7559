"""GGUF files and weights: reading, packing, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from clodo.edge.llama.gguf import Tensor, read_gguf
from clodo.edge.llama.quants import Kind, dequantise, pack, packed_bytes, packed_kind
from clodo.errors import ModelError
from tests.edge.llama.tiny import quantise, tiny_gguf

Floats = npt.NDArray[np.float32]

_SIZES = {"F32": (1, 4), "F16": (1, 2), "Q4_0": (32, 18), "Q4_1": (32, 20), "Q8_0": (32, 34), "Q4_K": (256, 144), "Q5_K": (256, 176), "Q6_K": (256, 210)}  # fmt: skip


def _tensor(numbers: Floats, kind: str) -> Tensor:
    rows, columns = numbers.shape
    return Tensor("w", kind, rows, columns, np.frombuffer(quantise(numbers, kind), np.uint8).reshape(rows, -1))


def unpack(packed: bytes, kind: Kind, rows: int, columns: int) -> Floats:
    """The numbers of a packed matrix, read as `tensor.h` describes it, one by one."""
    raw = np.frombuffer(packed, np.uint8).reshape(-1, columns // 32, {Kind.Q4_0: 144, Kind.Q4_1: 160, Kind.Q8_0: 272}[kind])
    out = np.zeros((len(raw) * 8, columns), np.float32)
    for group in range(len(raw)):
        for block in range(columns // 32):
            b = raw[group, block]
            scales = b[:16].copy().view(np.float16).astype(np.float32)
            minima = b[16:32].copy().view(np.float16).astype(np.float32) if kind == Kind.Q4_1 else -8 * scales
            body = b[32 if kind == Kind.Q4_1 else 16 :].reshape(-1, 16)
            for row in range(8):
                half, r = divmod(row, 4)
                for column in range(32):
                    if kind == Kind.Q8_0:
                        p, i = divmod(column, 4)
                        value = float(body[2 * p + half, 4 * r + i].view(np.int8)) * scales[row]
                    else:
                        p, rest = divmod(column, 8)
                        byte = int(body[2 * p + half, 4 * r + rest % 4])
                        value = (byte >> 4 if rest >= 4 else byte & 15) * scales[row] + minima[row]
                    out[8 * group + row, 32 * block + column] = value
    return out[:rows]


@pytest.mark.parametrize("kind", ["Q4_0", "Q4_1", "Q8_0"])
def test_packing_keeps_every_weight(kind: str) -> None:
    tensor = _tensor(np.random.default_rng(1).standard_normal((13, 96)).astype(np.float32), kind)
    packed = pack(tensor)
    assert len(packed) == packed_bytes(packed_kind(tensor), 13, 96)
    assert np.array_equal(unpack(packed, packed_kind(tensor), 13, 96), dequantise(tensor))


@pytest.mark.parametrize("kind", ["F32", "F16"])
def test_floats_become_eight_bits(kind: str) -> None:
    numbers = np.random.default_rng(2).standard_normal((8, 64)).astype(np.float32)
    found = unpack(pack(_tensor(numbers, kind)), Kind.Q8_0, 8, 64)
    assert np.abs(found - numbers).max() <= np.abs(numbers).max() / 127 * 0.51


@pytest.mark.parametrize("kind", ["Q4_0", "Q4_1", "Q8_0"])
def test_no_scale_is_subnormal_and_small_weights_stay_small(kind: str) -> None:
    numbers = (np.random.default_rng(3).standard_normal((8, 32)) * 1e-4).astype(np.float32)
    numbers[3] = 0
    tensor = _tensor(numbers, kind)
    packed = pack(tensor)
    scales = np.frombuffer(packed[:16], np.float16)
    assert (np.abs(scales) >= np.finfo(np.float16).tiny).all()
    assert np.abs(unpack(packed, packed_kind(tensor), 8, 32) - dequantise(tensor)).max() <= 6.2e-5


def test_scales_below_zero_are_turned_round() -> None:
    tensor = _tensor(np.random.default_rng(4).standard_normal((8, 32)).astype(np.float32), "Q4_1")
    data = tensor.data.copy()
    data[:, 1] |= 0x80
    turned = Tensor("w", "Q4_1", 8, 32, data)
    assert np.allclose(unpack(pack(turned), Kind.Q4_1, 8, 32), dequantise(turned), atol=2e-3)


@pytest.mark.parametrize("kind", ["Q4_K", "Q5_K", "Q6_K"])
def test_blocks_of_256_are_read_as_gguf_does(kind: str) -> None:
    gguf = pytest.importorskip("gguf")
    data = np.random.default_rng(5).integers(0, 256, (8, _SIZES[kind][1]), dtype=np.uint8)
    for at in (slice(208, 210),) if kind == "Q6_K" else (slice(0, 2), slice(2, 4)):
        data[:, at] = np.frombuffer(np.float16(0.013).tobytes(), np.uint8)
    tensor = Tensor("w", kind, 8, 256, data)
    wanted = gguf.quants.dequantize(data, gguf.GGMLQuantizationType[kind])
    assert np.array_equal(dequantise(tensor), wanted)
    found = unpack(pack(tensor), packed_kind(tensor), 8, 256)
    assert np.abs(found - wanted).max() <= np.abs(wanted).max() * (0.002 if kind == "Q4_K" else 0.005)


def test_a_file_is_read_with_its_metadata_and_tensors(tmp_path: Path) -> None:
    file = read_gguf(tiny_gguf(tmp_path / "tiny.gguf"))
    assert file.metadata["llama.block_count"] == 4
    assert file.metadata["tokenizer.ggml.tokens"][1] == "<|im_start|>"
    assert (file.tensors["blk.0.ffn_down.weight"].rows, file.tensors["blk.0.ffn_down.weight"].columns) == (64, 96)


@pytest.mark.parametrize("kept", [3, 20, 1000, -40])
def test_a_file_that_is_cut_off_is_refused(kept: int, tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "tiny.gguf")
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ModelError, match="GGUF"):
        read_gguf(path)


def test_a_type_that_is_not_known_is_refused(tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "tiny.gguf")
    raw = path.read_bytes()
    at = raw.index(b"output_norm.weight") + len(b"output_norm.weight") + 4 + 8
    path.write_bytes(raw[:at] + (19).to_bytes(4, "little") + raw[at + 4 :])
    with pytest.raises(ModelError, match="type 19"):
        read_gguf(path)
