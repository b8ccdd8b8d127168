"""The delivery core without servers, for tests: a broker and a database in memory, and a service that runs on them."""
