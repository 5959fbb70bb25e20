"""Writing the law, cold path: read, validate, compile, test, explain."""
