"""Training: audio to masked windows, losses, and the loop."""
