"""Rows in files, out and in, and many rows in one request."""
