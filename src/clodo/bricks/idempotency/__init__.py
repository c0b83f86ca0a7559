"""Keys that make a request safe to repeat: it is carried out once, and answered as often as it is sent."""
