"""The kernel: a pure step from (program, instance, command, now) to events."""
