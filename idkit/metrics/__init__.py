"""Scores of agreement, one file each."""
