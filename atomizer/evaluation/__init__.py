"""Evaluation of the model beside baselines that need no training.

* `cases`      a clip with hidden atoms (`Case`), and a method's result for it (`Estimate`)
* `tasks`      `TASKS`: which atoms of a clip are hidden
* `foreign_sounds`  what the repair tasks mix into recordings
* `low_rate`   files of a low rate or a low bit rate, which lose highs as real ones do
* `notes`      a metric that hears notes, by a published pitch model
* `scores`     `SCORES`: which metrics judge which kind of task
* `cross_entropy`  that of the model's first predictions
* `methods`    `METHODS`: the model, and adapters of the baselines
* `baselines`  the baselines themselves, one file per idea; arrays in, arrays out
* `written`    sounds of methods as files, also of another version as a method
* `run`        all methods on all tasks over a folder of clips
* `report`     the records as Markdown tables; `figures`: spectrograms of one case

How to extend it; nothing else has to change:

* A metric: a function of (reference, estimate) in `atomizer/metrics.py`, a function of
  (case, estimate) in `scores`, and one row of `SCORES` that lists the kinds of task it judges.
* A task: one row of `TASKS`, built by one of the functions above it or by a new one.
  A new kind of task also has to be named in the rows of `SCORES` and `METHODS` that apply to it.
* A method: a file in `baselines/`, a function of (case, context) in `methods`, and one row
  of `METHODS` that lists the kinds of task it applies to.
"""
