"""Files in: the user's own, those in raw/, or the network; archives read as streams, hostile
until checked. `locate.py` is the way in."""
