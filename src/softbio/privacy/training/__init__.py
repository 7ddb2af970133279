"""What trains them: one loop, the losses, and the matcher that the loss asks."""
