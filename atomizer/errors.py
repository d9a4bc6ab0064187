"""The error that is shown to users."""

from __future__ import annotations


class AtomizerError(ValueError):
    """Input that cannot be used; the message is one sentence: the reason and what is accepted."""
