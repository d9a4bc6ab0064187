"""Copies from elsewhere in the recording, where its context repeats.

1. Lags: normalised cross-correlation of the known context of a hidden span with the whole
   recording, on a pre-emphasised, decimated mono mix, refined at the full rate (`lag_search.py`).
   All channels share a lag.
2. A copy is the recording, shifted by a lag and analysed on the grid: levels and signs fit
   (`copies.py`). Long spans are copied in phrases: each continues the one before it.
3. The copies are summed with gains per channel and band, fitted around the span
   (`fitted_copies.py`).
4. Copies of the best matches take their place where they are expected to be better than a texture
   (`plain_copy.py`): in each band what they agree on, and the best of them
   (`combined_copies.py`).

Perraudin, Holighaus, Majdak & Balazs 2018, "Inpainting of long audio segments with similarity
graphs", search for similar context, too; here the search is on waveforms, with gains per band.
"""

from __future__ import annotations

from .context import MIN_KNOWN_FRAMES, HiddenSpan, RecordingContext, RecordingPrediction, merge
from .fitted_copies import fitted_copies
from .lag_search import LagSearch
from .plain_copy import blend, plain_copy


class RecordingCopyPrior:
    """Copies what follows, or precedes, the same context elsewhere in the recording."""

    name = "recording"

    def predict(self, context: RecordingContext) -> RecordingPrediction | None:
        """Weighted sums of copies at all hidden spans; None where no context repeats."""
        if not context.spans or context.hidden_frames.mean() > 0.9:
            return None
        search = LagSearch(context)
        found = (_predict_span(context, span, search) for span in context.spans)
        return merge([prediction for prediction in found if prediction is not None])


def _predict_span(
    context: RecordingContext, span: HiddenSpan, search: LagSearch
) -> RecordingPrediction | None:
    if max(context.known_frames_beside(span)) < MIN_KNOWN_FRAMES:
        return None
    plain = plain_copy(context, span, search)
    if plain is not None and plain.power_share is not None and plain.power_share.max() == 1:
        return plain
    return blend(plain, fitted_copies(context, span, search))
