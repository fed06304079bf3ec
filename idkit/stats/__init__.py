"""Inference over seeds, pairs and cells."""
