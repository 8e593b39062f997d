"""`python -m conformance.cli`: the same as the command `acrmock`."""

from conformance.cli import main

if __name__ == "__main__":
    main()
