"""Accounts looked after: a password changed, roles given by an administrator."""
