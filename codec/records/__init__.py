"""What is inside a blob of records: batches, and the checksum that guards them."""
