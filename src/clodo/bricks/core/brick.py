"""What every service has: errors, headers, health, its document."""

from __future__ import annotations

from clodo.emit.brick import Brick

BRICK = Brick("core", "clodo.bricks.core", lambda plan: True, order=0)
