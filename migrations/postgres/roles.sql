-- Two roles with the least that each needs. Run this once, in the gallery's database, as somebody who may create roles:
--
--     createdb gallery
--     psql --dbname gallery --file migrations/postgres/roles.sql
--     psql --dbname gallery --command '\password gallery_owner' --command '\password gallery_app'
--     GALLERY_STORE=postgres://gallery_owner:…@…/gallery gallery migrate-schema
--     GALLERY_STORE=postgres://gallery_app:…@…/gallery gallery serve
--
-- With Amazon RDS and IAM tokens instead of passwords (`?password=iam` in GALLERY_STORE), `GRANT rds_iam TO gallery_owner, gallery_app` takes the
-- place of `\password`.

-- Owns the schema, and is used by `gallery migrate-schema` alone.
CREATE ROLE gallery_owner LOGIN;

-- Is what the gallery runs as: it reads and writes rows, and can neither change nor remove what they stand in.
CREATE ROLE gallery_app LOGIN;

-- The limits that the gallery sets for itself on its own connections, for those that it reaches through a proxy such as RDS Proxy.
ALTER ROLE gallery_app SET statement_timeout = '15s';
ALTER ROLE gallery_app SET idle_in_transaction_session_timeout = '15s';

-- Nobody else comes near the database. The owner may make the schema.
DO $$
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT, CREATE ON DATABASE %I TO gallery_owner', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO gallery_app', current_database());
END
$$;

CREATE SCHEMA gallery AUTHORIZATION gallery_owner;
GRANT USAGE ON SCHEMA gallery TO gallery_app;

-- What the owner makes in times to come, the gallery may use: but for the note of which migrations were applied, which `gallery migrate-schema`
-- leaves to others to read and no more.
ALTER DEFAULT PRIVILEGES FOR ROLE gallery_owner IN SCHEMA gallery GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO gallery_app;
ALTER DEFAULT PRIVILEGES FOR ROLE gallery_owner IN SCHEMA gallery GRANT USAGE ON SEQUENCES TO gallery_app;
