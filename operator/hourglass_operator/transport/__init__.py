"""How the API server is reached: connection, calls and watches."""
