"""Routes that lead to other servers: who may use them, how often, and what is passed on."""
