"""What attackers learn, and undo textures with; `attacks/` has one file for each use of it."""
