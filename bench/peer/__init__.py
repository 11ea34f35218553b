"""The same training in PyTorch, written from the equations, to measure against."""
