"""The door: one module a command, one place where errors become exit codes."""
