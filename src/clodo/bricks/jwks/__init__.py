"""Tokens that other services can check by themselves."""
