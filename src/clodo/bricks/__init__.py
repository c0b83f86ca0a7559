"""The bricks that services are put together from. Each folder holds what its brick adds: to the language
(``language.py``), to the service (``brick.py`` and ``ts``), to the proof (``checks.py``), and its page (``README.md``)."""
