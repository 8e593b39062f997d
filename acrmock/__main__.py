"""`python -m acrmock`: the same as the command `acrmock`.

The kernel knows nothing above it, and nothing imports this module: it only names the program that stands for the whole product,
as an entry point of the package does, so that who knows just its name can start it.
"""

from runpy import run_module

if __name__ == "__main__":
    run_module("conformance.cli", run_name="__main__")
