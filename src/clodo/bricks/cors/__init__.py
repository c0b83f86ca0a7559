"""Pages of other origins may call the service."""
