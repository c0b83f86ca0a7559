"""Deleted rows that come back."""
