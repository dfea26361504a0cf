"""What commands say besides their data."""

import sys


def tell(text: str) -> None:
    """Print a message for the person at the terminal: to stderr, since stdout is for data."""
    print(text, file=sys.stderr)
