"""The user's own code: hooks, routes and scheduled work in a folder that is never generated anew."""
