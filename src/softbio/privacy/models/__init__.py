"""The networks: SAN, PrivacyNet and the auxiliaries, and how they lie on disk."""
