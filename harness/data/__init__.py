"""Finding images and annotations, and checking them before a GPU waits; no torch."""
