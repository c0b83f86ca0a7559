"""A model within the service: search in plain words, summaries, classification."""
