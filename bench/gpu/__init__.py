"""Steps and a full ranking on a GPU, beside PyTorch on the same card."""
