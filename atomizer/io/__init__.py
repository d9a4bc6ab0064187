"""Files: sounds, atomic writes, datasets and shipped resources."""
