"""A line in the log for each request, and counts of requests for Prometheus."""
