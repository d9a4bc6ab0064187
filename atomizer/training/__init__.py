"""Training: masked windows of recordings, losses, and the loop."""
