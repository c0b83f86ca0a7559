"""Keys that users make for their own programs."""
