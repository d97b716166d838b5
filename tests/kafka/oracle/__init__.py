"""Minutes of mixed faults on a real cluster: what was acknowledged, against what is there."""
