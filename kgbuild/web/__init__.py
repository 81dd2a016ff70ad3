"""Pages that kgbuild serves itself: labelling in a browser."""
