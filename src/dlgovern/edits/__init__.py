"""What a repair would change, computed only when somebody asks."""
