"""`python -m idkit` is `idkit`."""

from idkit.cli import main

if __name__ == "__main__":
    main()
