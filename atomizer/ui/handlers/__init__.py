"""What happens when a visitor loads a sound, selects atoms, fills them in, stops, or exports.

    loading.py      sounds, excerpts of long files, examples
    inspecting.py   what is found in a sound, and similar places
    selecting.py    status of a selection, settings files; estimating.py: how long fills will take
    filling.py      the buttons that fill: recipes.py makes their recipes, running.py runs them,
                    fill_status.py has the status messages
    stopping.py     Stop
    pursuit.py      matching-pursuit atoms
    reference.py    the reference recording, which gives filled highs their levels
    history.py      variations, earlier originals, earlier sounds
    exporting.py    downloads
    saving.py       session files
    compressing.py  the sound as a file of atoms
    controls.py     values of the controls -> settings
    responses.py    answers without a session, error sentences, notices

Every handler leaves the session and the page usable: an error becomes one sentence, and nothing is
lost. Handlers return messages for the page; those that can open another session return
(message, session).
"""

from .compressing import compare_codecs, decode_prefix, encode_file, fill_prefix
from .exporting import export_file
from .filling import (
    add_channel,
    compare_with_noise,
    continue_sound,
    extend_bandwidth,
    fill_from_source,
    fill_selection,
    paste,
)
from .history import accept, delete_variation, resume, undo
from .inspecting import find_similar, inspect
from .loading import choose_excerpt, finish_example, load, load_example
from .pursuit import decompose
from .reference import choose_reference, load_reference
from .saving import save_session
from .selecting import describe, leave_example, load_settings, plan_additions
from .stopping import stop

__all__ = [
    "accept",
    "add_channel",
    "choose_excerpt",
    "choose_reference",
    "compare_codecs",
    "compare_with_noise",
    "continue_sound",
    "decode_prefix",
    "decompose",
    "delete_variation",
    "describe",
    "encode_file",
    "export_file",
    "extend_bandwidth",
    "fill_from_source",
    "fill_prefix",
    "fill_selection",
    "find_similar",
    "finish_example",
    "inspect",
    "leave_example",
    "load",
    "load_example",
    "load_reference",
    "load_settings",
    "paste",
    "plan_additions",
    "resume",
    "save_session",
    "stop",
    "undo",
]
