"""`python -m stream.cli` is the command `lifecycle`."""

from stream.cli import main

main()
