"""Progress bars on the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..batch import FileJob
    from ..inpainting.step import Step
    from ..priors.recording.context import CopySource

MAX_SOURCES_SHOWN = 3  # of the spans that a fill copied, the most important ones


@contextmanager
def steps_progress(
    tell: Callable[[str], object],
) -> Iterator[tuple[Callable[[Step], None], Callable[[float], None]]]:
    """A progress bar on the terminal; yields the callbacks of `batch.Watch`.

    At the end `tell` is called with sentences about the spans of the recording that were copied.
    """
    from tqdm import tqdm

    sources: list[CopySource] = []
    with tqdm(desc="filling", unit="step", disable=None) as bar:

        def on_step(step: Step) -> None:
            if step.number == 1:
                bar.reset()
            bar.total = step.total  # may fall: see `Step.as_first_of_two`
            bar.update()
            if step.number == step.total:
                sources.extend(step.sources)

        def on_share(share: float) -> None:
            bar.total, bar.unit = 100, "%"
            bar.update(round(100 * share) - bar.n)

        yield on_step, on_share
    for copy in sources[:MAX_SOURCES_SHOWN]:
        tell(
            f"{copy.target[0]:.2f}-{copy.target[1]:.2f} s: copied from {copy.source[0]:.2f} to"
            f" {copy.source[1]:.2f} s, confidence {copy.confidence:.2f}"
        )


@contextmanager
def share_progress(what: str) -> Iterator[Callable[[float], None]]:
    """A progress bar on the terminal; yields a callback with the share that is done."""
    from tqdm import tqdm

    with tqdm(desc=what, total=100, unit="%", disable=None) as bar:

        def on_share(share: float) -> None:
            bar.update(max(0, round(100 * share) - bar.n))

        yield on_share
        on_share(1.0)


@contextmanager
def files_progress(count: int) -> Iterator[Callable[[FileJob, float], None]]:
    """One progress bar for many files; yields the callback of `batch.fill_files`."""
    from tqdm import tqdm

    done = 0.0
    form = "{desc}{percentage:3.0f}% |{bar}| {n:.1f}/{total} files [{elapsed}<{remaining}]"
    with tqdm(total=count, bar_format=form, disable=None) as bar:

        def on_share(job: FileJob, share: float) -> None:
            nonlocal done
            bar.set_description(f"{job.source.name[:24]} ", refresh=False)
            bar.update(max(0.0, done + share - bar.n))
            if share == 1.0:
                done += 1

        yield on_share
