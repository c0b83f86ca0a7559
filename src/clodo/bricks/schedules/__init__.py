"""Work that is done at times."""
