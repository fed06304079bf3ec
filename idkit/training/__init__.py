"""The ensemble engine: all seeds of a group as one computation."""
