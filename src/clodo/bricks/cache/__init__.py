"""Public answers from the cache of the data centre, never older than the last write."""
