"""Records of measurements."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Record:
    """One measurement.

    name, value, unit  the measured quantity
    peer, peer_value   another implementation of the same job and its value in the same unit, or
                       None
    higher_is_better   True for rates, False for durations and sizes
    """

    name: str
    value: float
    unit: str
    peer: str | None = None
    peer_value: float | None = None
    higher_is_better: bool = False

    @property
    def ratio(self) -> float | None:
        """How many times better than the peer; above 1 this package is ahead."""
        if self.peer_value is None or not self.value or not self.peer_value:
            return None
        return (
            self.value / self.peer_value if self.higher_is_better else self.peer_value / self.value
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready data, numbers to four digits."""

        def rounded(value: float | None) -> float | None:
            return None if value is None else float(f"{value:.4g}")

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
    """A peer of a measurement that is unavailable, and the reason."""

    name: str
    peer: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: not compared with {self.peer}, {self.reason}."


def table(records: Iterable[Record]) -> str:
    """Records as a Markdown table."""
    lines = ["| what | value | peer | its value | ratio |", "|---|---|---|---|---|"]
    for r in (record.to_dict() for record in records):
        peer_value = "" if r["peer_value"] is None else f"{r['peer_value']:g} {r['unit']}"
        ratio = "" if r["ratio"] is None else r["ratio"]
        lines.append(
            f"| {r['name']} | {r['value']:g} {r['unit']} | {r['peer'] or ''} | {peer_value} | "
            f"{ratio} |"
        )
    return "\n".join(lines)
