"""The one error that is shown to users."""

from __future__ import annotations


class AtomizerError(ValueError):
    """Something the user gave cannot be used; the message is one sentence that says why and what is accepted."""
