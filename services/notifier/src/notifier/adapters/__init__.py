"""Tables, stores, the queue of deliveries, templates, and the gateways to intake and to the mail relay."""
