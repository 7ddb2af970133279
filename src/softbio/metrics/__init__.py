"""Arrays in, numbers out; nothing here knows a model."""
