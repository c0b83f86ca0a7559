"""Descriptions with their meaning: the format, what a record means, the splits, and how alike texts are."""
