"""Inpainting: from a selection to a filled sound.

The path of a fill, in order:

    task.py          `prepare`: what is unknown in a sound; standout.py and presets.py by the
                     selection
    highs/           all above a cutoff, its timbre, and the levels of a reference recording
    settings.py      `Settings` of the user
    resolve.py       `resolve`: with the defaults of the preset; highs/ and source_spans.py check
                     theirs
    fill.py          `fill`: which way a task is filled, `Step` by step (step.py);
                     lost_channels.py after the others
    sampling/        the model, window by window and step by step
    time_domain/     holes in time, whose samples are known on both sides; fades
    silence.py, paste.py   other cases of `fill`
    stereo_image.py  textures along the directions of the channels; mid_side.py for mono sounds
    render.py        from the filled grid to samples

Around it:

    inpaint.py       all of it in one call
    recipe.py        a fill as data: settings files, the page; recipe_schema.py, shaping.py
    parts/           long sounds, part by part
    repair.py        clicks, clipped peaks and dropouts; repair_first.py before the recipes
    erase.py         matching-pursuit atoms
    unsent.py        atoms that a file of atoms has no bytes for
    work.py          how much work a fill is
    origin.py, changes.py, acting.py   what a fill is made of, what it changed, what can change it
"""
