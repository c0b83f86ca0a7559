"""Incoming events: others tell this service, signed."""
