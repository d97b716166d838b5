"""Tokens that somebody else has signed, for OAUTHBEARER towards brokers (KIP-768): from a token
endpoint (RFC 6749, section 4.4) or a file. Blocks; for threads, never on a hub."""
