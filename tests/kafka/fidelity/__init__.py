"""Real elections beside ours: what each client is told, what it does, how long it takes."""
