"""Other engines: what they make of the same diagram."""
