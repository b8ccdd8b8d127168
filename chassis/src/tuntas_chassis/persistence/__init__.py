"""PostgreSQL: connections, migrations, group commit, pages of results."""
