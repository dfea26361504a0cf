"""The built-in data set: drawn shapes with intricate outlines, in COCO's own layout.

Small enough to train on a laptop, and yet with all that COCO has: polygons and RLE masks, holes,
occlusion, crowds, images without objects, small, medium and large objects.
"""

from harness.shapes.dataset import write_shapes

__all__ = ["write_shapes"]
