"""What identity providers have for OAUTHBEARER (KIP-768): how they are asked, and the tokens that
brokers are shown, from a token endpoint (RFC 6749, section 4.4) or a file. Blocks; for threads,
never on a hub."""
