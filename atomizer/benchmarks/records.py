"""What a measurement is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Record:
    """One measurement.

    name, value, unit  what was measured
    peer, peer_value   who else does the same job, and how it did, in the same unit; None where nobody was measured
    more               whether more is better, as of what is done per second
    """

    name: str
    value: float
    unit: str
    peer: str | None = None
    peer_value: float | None = None
    more: bool = False

    @property
    def ratio(self) -> float | None:
        """The peer's value over ours, or ours over the peer's where more is better: above 1 is ours ahead."""
        if self.peer_value is None or not self.value or not self.peer_value:
            return None
        return self.value / self.peer_value if self.more else self.peer_value / self.value

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready data, numbers to four digits."""
        rounded = lambda v: None if v is None else float(f"{v:.4g}")  # noqa: E731
        return {
            "name": self.name,
            "value": rounded(self.value),
            "unit": self.unit,
            "peer": self.peer,
            "peer_value": rounded(self.peer_value),
            "ratio": rounded(self.ratio),
        }


@dataclass(frozen=True)
class Missing:
    """A peer of a measurement that could not be measured here, and why."""

    name: str
    peer: str
    why: str

    def __str__(self) -> str:
        return f"{self.name}: not beside {self.peer}, {self.why}."


def table(records: Iterable[Record]) -> str:
    """Records as a Markdown table."""
    lines = ["| what | value | peer | its value | ratio |", "|---|---|---|---|---|"]
    for r in (record.to_dict() for record in records):
        peer_value = "" if r["peer_value"] is None else f"{r['peer_value']:g} {r['unit']}"
        lines.append(
            f"| {r['name']} | {r['value']:g} {r['unit']} | {r['peer'] or ''} | {peer_value} | {'' if r['ratio'] is None else r['ratio']} |"
        )
    return "\n".join(lines)
