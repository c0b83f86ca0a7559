"""Kinds of model compared on equal terms; not part of the product."""
