"""Where the control side's state is between the starts of a process: a file, or a Kafka topic.

`documents` says how it is written, `mirror` holds what a store has against what it is to have; the
stores themselves carry texts and know nothing of what they mean.
"""
