"""HTTP: the server and its limits, authorisation, problems, commands with their group commit, pages, the endpoints for operators."""
