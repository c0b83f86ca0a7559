"""Rows that belong to tenants: teams, shops, clinics that share a service and see nothing of one another."""
