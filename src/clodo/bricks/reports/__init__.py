"""Reports: rows counted and summed up by what they have in common."""
