"""New projects that are compliant from birth."""
