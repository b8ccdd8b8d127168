-- One role and one database for each service; no role can connect to another's database.
-- Run once by the image's start on an empty volume. The passwords come from the container's environment.
\set ON_ERROR_STOP on
REVOKE CONNECT ON DATABASE postgres FROM PUBLIC;

\getenv password INTAKE_PASSWORD
CREATE ROLE intake LOGIN PASSWORD :'password';
CREATE DATABASE intake OWNER intake ENCODING 'UTF8' TEMPLATE template0;
REVOKE CONNECT ON DATABASE intake FROM PUBLIC;

\getenv password TRIAGE_PASSWORD
CREATE ROLE triage LOGIN PASSWORD :'password';
CREATE DATABASE triage OWNER triage ENCODING 'UTF8' TEMPLATE template0;
REVOKE CONNECT ON DATABASE triage FROM PUBLIC;

\getenv password DISPATCH_PASSWORD
CREATE ROLE dispatch LOGIN PASSWORD :'password';
CREATE DATABASE dispatch OWNER dispatch ENCODING 'UTF8' TEMPLATE template0;
REVOKE CONNECT ON DATABASE dispatch FROM PUBLIC;

\getenv password SLA_MONITOR_PASSWORD
CREATE ROLE sla_monitor LOGIN PASSWORD :'password';
CREATE DATABASE sla_monitor OWNER sla_monitor ENCODING 'UTF8' TEMPLATE template0;
REVOKE CONNECT ON DATABASE sla_monitor FROM PUBLIC;

\getenv password NOTIFIER_PASSWORD
CREATE ROLE notifier LOGIN PASSWORD :'password';
CREATE DATABASE notifier OWNER notifier ENCODING 'UTF8' TEMPLATE template0;
REVOKE CONNECT ON DATABASE notifier FROM PUBLIC;
