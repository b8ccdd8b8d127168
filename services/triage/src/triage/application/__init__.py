"""What the service does with messages, commands and time: decisions of the domain, put together."""
