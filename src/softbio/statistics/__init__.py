"""The uncertainty of numbers: intervals and tests over images, subjects and seeds."""
