"""HTTP: the server and its limits, authorisation, problems, commands over HTTP, the endpoints that operators use."""
