"""Values the whole product speaks in: frozen, validated where they are built, free of I/O."""
