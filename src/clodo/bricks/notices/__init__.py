"""Mails that changes of rows and reports lead to."""
