"""What a fill is made of, in words."""

from __future__ import annotations

from .highs.timbre import describe_timbre
from .settings import Resolved
from .step import AUTOREGRESSION, Step
from .task import Task

# made of texture alone, by `priors.choices.USING`
TEXTURE = {"texture": "texture", "partials": "texture: no tones lead through"}
WEAK = 0.5  # confidence of a copy below which less than half of what is heard is the copy


def describe_origin(step: Step, task: Task, settings: Resolved) -> tuple[str, ...]:
    """Return what a fill is made of: the copied spans first, then what was added to them.

    step      the last one of the fill
    settings  of `resolve`

    Empty where nothing but the method and the settings determines it.
    """
    if step.fade is not None and step.fade.is_over(task.sound.seconds - task.extended):
        return ("silence: the sound has faded out, cut its end to continue it",)
    words = list(_copies(step))
    if "partials" in step.priors:
        words.append("tones continued")
    if AUTOREGRESSION in step.priors:
        words.append("continued from the samples on both sides")
    if step.fade is not None:
        words.append("the fade goes on")
    if settings.timbre:
        words.append(describe_timbre(settings.timbre))
    if words or not (settings.method == "model" and task.uses_recording):
        return tuple(words)
    return (TEXTURE.get(settings.using, "texture: nothing similar was found"),)


def _copies(step: Step) -> tuple[str, ...]:
    """The most important span that was copied, and the number of the others."""
    copies = step.sources
    if not copies:
        return ()
    confidence = sum(copy.confidence for copy in copies if copy.target == copies[0].target)
    match = " (weak match)" if confidence < WEAK else ""
    count = len(copies) - 1
    others = f" and {count} other place{'s' * (count > 1)}" if count else ""
    return (f"copied from {round(copies[0].source[0], 2):g} s{match}{others}",)
