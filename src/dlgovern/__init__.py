"""Static analysis and framework governance for deep-learning repositories."""

__version__ = "0.1.0"
