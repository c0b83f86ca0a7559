"""Rows with an ETag: conditional reading, and no change that overwrites another unseen."""
