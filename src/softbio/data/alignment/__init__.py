"""Where the face is in an image, and the canvases and published crops made from it."""
