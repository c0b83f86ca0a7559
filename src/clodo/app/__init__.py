"""The wiring: the only place that joins models, generator, proof and the user's folders."""
