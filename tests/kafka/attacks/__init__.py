"""One virtual cluster against another, and against what belongs to none, on a real cluster."""
