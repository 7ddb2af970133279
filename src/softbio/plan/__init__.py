"""What a config asks for, before anything runs: its grid, what is absent, what it will cost."""
