"""Families of chat templates, held against what llama.cpp makes of the same templates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clodo.edge.llama import bundle
from clodo.edge.platform.serving import served_bundle
from clodo.toolchain import Toolchain
from tests.edge.llama.native import Native
from tests.edge.llama.serving import Caller, with_probe
from tests.edge.llama.tiny import tiny_gguf, vocabulary

pytestmark = [pytest.mark.workerd, pytest.mark.llama]

LLAMA3 = (
    "{% for message in messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}"
    "{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
ZEPHYR = (
    "{% for message in messages %}\n{% if message['role'] == 'user' %}\n{{ '<|user|>\n' + message['content'] + eos_token }}\n"
    "{% elif message['role'] == 'system' %}\n{{ '<|system|>\n' + message['content'] + eos_token }}\n"
    "{% elif message['role'] == 'assistant' %}\n{{ '<|assistant|>\n' + message['content'] + eos_token }}\n{% endif %}\n"
    "{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}"
)
CHATML_KIND = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nBe kind.<|im_end|>\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
TALKS: list[list[dict[str, str]]] = [
    [{"role": "user", "content": "the sea"}],
    [{"role": "system", "content": "one"}, {"role": "user", "content": " two \n"}, {"role": "assistant", "content": "red"}, {"role": "user", "content": "blue"}],
]  # fmt: skip


@pytest.mark.parametrize(
    ("template", "control", "pre"),
    [(CHATML_KIND, (), "smollm"), (LLAMA3, ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"), "llama-bpe"), (ZEPHYR, ("<|user|>", "<|system|>", "<|assistant|>"), "gpt-2"), (ZEPHYR, (), "gpt-2")],
    ids=["chatml", "llama3", "zephyr", "zephyr in plain words"],
)  # fmt: skip
def test_conversations_are_those_of_llama_cpp(template: str, control: tuple[str, ...], pre: str, tmp_path: Path, toolchain: Toolchain) -> None:
    words: dict[str, Any] = vocabulary()
    names, kinds = words["tokenizer.ggml.tokens"], words["tokenizer.ggml.token_type"]
    words |= {"tokenizer.ggml.tokens": [*names, *control], "tokenizer.ggml.token_type": [*kinds, *[3] * len(control)]}
    # A beginning of its own, which templates name.
    words |= {"tokenizer.chat_template": template, "tokenizer.ggml.pre": pre, "tokenizer.ggml.bos_token_id": 0, "tokenizer.ggml.add_bos_token": pre == "llama-bpe"}
    path = tiny_gguf(tmp_path / "tiny.gguf", layers=1, words=words)
    native = Native(path)
    with served_bundle(with_probe(bundle(path, 48, 64)), toolchain) as running:
        for talk in TALKS:
            assert Caller.of(running).http.post("/chat", json=talk).json() == native.chat_tokens(talk)
