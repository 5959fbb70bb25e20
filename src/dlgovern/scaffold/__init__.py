"""New projects from templates, and their way through later versions of these."""
