"""Modules whose forward pass returns a torch distribution."""
