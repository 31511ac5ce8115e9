"""DMN 1.1-1.5: models, decision tables and boxed expressions."""
