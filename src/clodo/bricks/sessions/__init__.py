"""Sessions of accounts: short access tokens, refresh tokens that are good once, logout."""
