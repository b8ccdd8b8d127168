"""PostgreSQL: connections, migrations, the tables of the delivery core, open transactions."""
