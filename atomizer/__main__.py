"""Command line: `python -m atomizer`."""

from .cli import run

if __name__ == "__main__":
    run()
