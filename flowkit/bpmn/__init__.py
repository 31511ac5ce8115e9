"""BPMN 2.0: the model, reading it, checking it, drawing it."""
