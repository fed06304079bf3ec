"""Are learned representations the same each time a model is retrained?"""

__version__ = "0.1.0"
