"""A record of who changed what and when, to which is only added."""
