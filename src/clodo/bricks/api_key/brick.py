"""Access by the service's own key."""

from __future__ import annotations

from clodo.emit.brick import Brick, Import, Parts

BRICK = Brick(
    "api_key",
    "clodo.bricks.api_key",
    lambda plan: plan.uses_key,
    lambda plan: Parts(
        imports=(Import("apiKey", "./lib/api-key"),), authenticators=("apiKey",), secrets=("API_KEY",)
    ),
    order=41,
)
