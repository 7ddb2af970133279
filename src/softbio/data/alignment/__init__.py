"""Where the face is in an image, and the canvases and published crops that are made of it."""
