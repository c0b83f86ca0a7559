"""A limit of attempts to log in, for each account and address."""
