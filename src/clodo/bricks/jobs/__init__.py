"""Actions that are done later: a queue, what becomes of each job, and those that failed."""
