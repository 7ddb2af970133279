"""Files in: the user's own, what lies in raw/, or the network; archives read as streams, hostile
until checked. `locate.py` is the way in."""
