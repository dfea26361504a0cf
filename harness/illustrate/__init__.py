"""Pictures that need losses, images or predictions: Figs 2-7 and 9, and where two runs differ."""
