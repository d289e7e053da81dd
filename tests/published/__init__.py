"""A published MongoDB plugin, unmodified, on our server; a root of its own."""
