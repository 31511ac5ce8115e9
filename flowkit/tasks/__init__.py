"""Task handlers: the Python that a diagram calls."""
