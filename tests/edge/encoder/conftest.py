"""The built-in model as a bundle, made once."""

from __future__ import annotations

import pytest
from evals.edge_agreement import MODEL

from clodo.edge.bundle import Bundle
from clodo.edge.encoder import bundle


@pytest.fixture(scope="session")
def made() -> Bundle:
    return bundle(MODEL, 48)
