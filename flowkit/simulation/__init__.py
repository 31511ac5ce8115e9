"""Simulation of processes on the kernel that also runs them in production."""
