"""`python -m barehand`: the same as the command."""

from barehand.cli import main

main()
