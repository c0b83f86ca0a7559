"""``python -m clodo``."""

from clodo.cli import main

main()
