"""The durable engine around the kernel."""
