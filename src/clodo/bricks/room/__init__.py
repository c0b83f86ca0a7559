"""A room for each row: who is there, what they say, and what becomes of the row."""
