"""`python -m ordbench`: the same as the command `ordbench`."""

import sys

from ordbench.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
