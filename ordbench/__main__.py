"""`python -m ordbench` is `ordbench`."""

from ordbench.cli import main

if __name__ == "__main__":
    main()
