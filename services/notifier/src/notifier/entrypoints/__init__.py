"""Where the service is entered: HTTP, subscriptions, periodic jobs, commands of operators."""
