"""Rate limits: of all requests, and of the writes of an entity."""
