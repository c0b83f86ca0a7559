"""A brick from outside: a motto for the service, and rows that can be starred."""
