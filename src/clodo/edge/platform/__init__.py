"""Around a model's Workers: the folder that is built, serving it here, deploying it, measuring it."""
