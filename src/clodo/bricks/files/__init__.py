"""Files and images of rows, kept in R2."""
