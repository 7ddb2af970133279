"""Who judges protected faces, and what they say of them: scores, not decisions."""
