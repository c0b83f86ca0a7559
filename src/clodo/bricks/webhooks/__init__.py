"""Webhooks: other services are told when rows change."""
