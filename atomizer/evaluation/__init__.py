"""Evaluation: how well the model fills in, beside baselines that need no training.

* `metrics`    between a reference and an estimate, each with its conventions
* `tasks`      what is hidden of a clip, and which metrics judge it
* `baselines`  one file per idea
* `methods`    the model and the baselines, and what each applies to
* `run`        all of them over a folder of clips; `report` and `figures` show what came out
"""
