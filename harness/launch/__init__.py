"""Starting runs and watching them, by the files that they leave; no torch at import."""
