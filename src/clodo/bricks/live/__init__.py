"""Changes of rows as they happen: server-sent events."""
