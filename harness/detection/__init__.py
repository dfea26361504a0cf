"""Training and prediction with detectron2; the only package that imports it."""
