"""Pictures into an array that one run after another can fill: pixels, fingerprints, journal."""
