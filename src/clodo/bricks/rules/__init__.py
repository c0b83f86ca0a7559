"""Rules that hold between the fields of a row and between rows."""
