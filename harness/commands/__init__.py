"""What the longer commands do; `harness.cli` parses and calls."""
