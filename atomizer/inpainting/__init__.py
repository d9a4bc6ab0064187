"""Inpainting: from a selection to a filled sound.

The path of a fill, in order:

    task.py          `prepare`: what is unknown in a sound; highs.py, presets.py by the selection
    settings.py      `Settings` of the user, `resolve` with the defaults of the preset; like.py,
                     timbre.py and source_spans.py check theirs
    fill.py          `fill`: which way a task is filled, `Step` by step (step.py)
    sampler.py       the model, window by window (windows.py) and step by step
    state.py         what is known by now, and what the priors predict of the rest; ends.py
    amplitudes.py    from the model's distributions to amplitudes; bounds.py, coarse_bins.py
    placement.py     places for atoms of unknown time, frequency or channel
    stereo_image.py  textures along the directions of the channels; mid_side.py for mono sounds
    holes.py         joins holes in time to the samples around, or fills them (autoregression.py)
    silence.py, fades.py, paste.py   other cases of `fill`
    render.py        from the filled grid to samples

Around it:

    inpaint.py       all of it in one call
    recipe.py        a fill as data: settings files, the page; recipe_schema.py, shaping.py
    parts.py         long sounds, part by part; part_plan.py, part_joints.py
    repair.py        clicks, clipped peaks (declipping.py) and dropouts
    erase.py         matching-pursuit atoms
    unsent.py        atoms that a file of atoms has no bytes for
    work.py          how much work a fill is
    origin.py, changes.py, acting.py   what a fill is made of, what it changed, what can change it
"""
