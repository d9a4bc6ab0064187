"""Evaluation: metrics, tasks, and a report of the model beside its baselines."""
