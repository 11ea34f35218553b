"""What is tested where PyTorch is, and only there."""

try:
    import torch  # noqa: F401
except (ImportError, OSError, ValueError):
    collect_ignore = ["equipoise/torch"]
