-- Everything stands in the schema `gallery`, which the migrating program makes before the first migration, and every statement names it.
--
-- Times are milliseconds since 1970, as the domain has them: the same number in every store, and nothing to convert. Texts that are ordered
-- compare byte by byte, whatever the database's collation is.
--
-- What is derived from a photo alone (where it is listed, its month, its place in time, whether it holds its content, its terms) is told by
-- the domain and written beside it, so that the domain's rules stand in one place. What is counted over photos, and the index of terms, is
-- kept by triggers: they see every transition of a row, whichever statement or cascade brings it about, within the same transaction.
--
-- Changes of an owner's photos and albums begin with a lock on the owner (see gallery-adapters/src/postgres/change.rs), so that they come one
-- after the other. No order of locks needs to be kept within them.

CREATE TABLE gallery.photo (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL,
    file_name text NOT NULL,
    content_type text NOT NULL,
    bytes bigint NOT NULL,
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    title text NOT NULL,
    description text NOT NULL,
    -- The tags as they are spelt, and the key of each.
    tags text[] NOT NULL,
    tag_keys text[] COLLATE "C" NOT NULL,
    favourite boolean NOT NULL,
    taken_at text,
    state text NOT NULL CHECK (state IN ('uploading', 'processing', 'ready', 'failed', 'erasing')),
    -- Once it is ready. As `json`, texts are kept as they are, also those that hold what a text of PostgreSQL cannot.
    facts json,
    -- Once it has failed.
    failure json,
    -- Once it is being erased: when its row may go.
    settled_at bigint,
    trashed_at bigint,
    trashed_with uuid,
    created_at bigint NOT NULL,
    revision bigint NOT NULL,
    timeline_at bigint NOT NULL,
    month text NOT NULL COLLATE "C",
    listed_in text CHECK (listed_in IN ('timeline', 'trash', 'unfinished')),
    holds_content boolean NOT NULL,
    -- The domain's terms, verbatim: what a search compares a query with on the server.
    terms tsvector NOT NULL,
    -- The same with where each stands, as the domain has it: what has the last word on a photo.
    words json NOT NULL,
    CHECK (cardinality(tags) = cardinality(tag_keys)),
    CHECK ((state = 'ready') = (facts IS NOT NULL)),
    CHECK ((state = 'failed') = (failure IS NOT NULL)),
    CHECK ((state = 'erasing') = (settled_at IS NOT NULL))
);

CREATE INDEX photo_all ON gallery.photo (owner_id, id);
CREATE INDEX photo_timeline ON gallery.photo (owner_id, timeline_at DESC, id DESC) WHERE listed_in = 'timeline';
CREATE INDEX photo_favourites ON gallery.photo (owner_id, timeline_at DESC, id DESC) WHERE listed_in = 'timeline' AND favourite;
CREATE INDEX photo_trash ON gallery.photo (owner_id, trashed_at DESC, id DESC) WHERE listed_in = 'trash';
CREATE INDEX photo_unfinished ON gallery.photo (owner_id, created_at DESC, id DESC) WHERE listed_in = 'unfinished';
-- An owner has each content once.
CREATE UNIQUE INDEX photo_content ON gallery.photo (owner_id, sha256) WHERE holds_content;

-- The terms of the photos in the timeline, and all of their tags, latest photo first: a search reads the photos of a term in the order in
-- which it answers, from wherever the page before ended, however many there are. A GIN index on `terms` would be a tenth of the size, but
-- answers in no order: all photos of a term have to be read and sorted for each page.
CREATE TABLE gallery.photo_term (
    owner_id uuid NOT NULL,
    term text NOT NULL COLLATE "C",
    timeline_at bigint NOT NULL,
    photo_id uuid NOT NULL
);

CREATE UNIQUE INDEX photo_term_timeline ON gallery.photo_term (owner_id, term, timeline_at DESC, photo_id DESC);

CREATE TABLE gallery.usage (
    owner_id uuid PRIMARY KEY,
    bytes bigint NOT NULL,
    photos bigint NOT NULL,
    pending_uploads bigint NOT NULL
);

CREATE TABLE gallery.month_count (
    owner_id uuid NOT NULL,
    month text NOT NULL COLLATE "C",
    photos bigint NOT NULL,
    PRIMARY KEY (owner_id, month)
);

CREATE TABLE gallery.tag_count (
    owner_id uuid NOT NULL,
    key text NOT NULL COLLATE "C",
    photos bigint NOT NULL,
    PRIMARY KEY (owner_id, key)
);

CREATE TABLE gallery.album (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL,
    title text NOT NULL,
    title_key text NOT NULL COLLATE "C",
    description text NOT NULL,
    cover uuid,
    trashed_at bigint,
    trashed_photos text CHECK (trashed_photos IN ('delete', 'keep')),
    created_at bigint NOT NULL,
    revision bigint NOT NULL,
    photo_count bigint NOT NULL DEFAULT 0,
    CHECK ((trashed_at IS NULL) = (trashed_photos IS NULL))
);

CREATE INDEX album_all ON gallery.album (owner_id, id);
CREATE INDEX album_list ON gallery.album (owner_id, created_at DESC, id DESC) WHERE trashed_at IS NULL;
CREATE INDEX album_trash ON gallery.album (owner_id, trashed_at DESC, id DESC) WHERE trashed_at IS NOT NULL;
CREATE INDEX album_title ON gallery.album (owner_id, title_key, created_at DESC, id DESC) WHERE trashed_at IS NULL;

-- Whether the photo is in the timeline, and where, is repeated here for the lists of visible photos by rank and by time.
CREATE TABLE gallery.album_photo (
    album_id uuid NOT NULL REFERENCES gallery.album (id) ON DELETE CASCADE,
    photo_id uuid NOT NULL REFERENCES gallery.photo (id) ON DELETE CASCADE,
    rank text NOT NULL COLLATE "C",
    visible boolean NOT NULL,
    timeline_at bigint NOT NULL,
    PRIMARY KEY (album_id, photo_id)
);

CREATE INDEX album_photo_by_rank ON gallery.album_photo (album_id, rank, photo_id);
CREATE INDEX album_photo_visible ON gallery.album_photo (album_id, rank, photo_id) WHERE visible;
CREATE INDEX album_photo_timeline ON gallery.album_photo (album_id, timeline_at DESC, photo_id DESC) WHERE visible;
CREATE INDEX album_photo_by_photo ON gallery.album_photo (photo_id, album_id);

-- What stands in the index of terms for a photo. A photo may have more tags than it has terms, and each is to be found.
CREATE FUNCTION gallery.indexed_terms(terms tsvector, tag_keys text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ARRAY(SELECT unnest(tsvector_to_array(terms)) UNION SELECT '#' || unnest(tag_keys))
$$;

CREATE FUNCTION gallery.photo_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO gallery.usage (owner_id, bytes, photos, pending_uploads)
        VALUES (new.owner_id, new.bytes, 1, (new.state = 'uploading')::int)
        ON CONFLICT (owner_id) DO UPDATE SET bytes = usage.bytes + excluded.bytes, photos = usage.photos + 1,
            pending_uploads = usage.pending_uploads + excluded.pending_uploads;
    IF new.listed_in = 'timeline' THEN
        INSERT INTO gallery.month_count (owner_id, month, photos) VALUES (new.owner_id, new.month, 1)
            ON CONFLICT (owner_id, month) DO UPDATE SET photos = month_count.photos + 1;
        INSERT INTO gallery.tag_count (owner_id, key, photos) SELECT new.owner_id, unnest(new.tag_keys), 1
            ON CONFLICT (owner_id, key) DO UPDATE SET photos = tag_count.photos + 1;
        INSERT INTO gallery.photo_term (owner_id, term, timeline_at, photo_id)
            SELECT new.owner_id, unnest(gallery.indexed_terms(new.terms, new.tag_keys)), new.timeline_at, new.id;
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION gallery.photo_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE gallery.usage SET bytes = bytes - old.bytes, photos = photos - 1,
        pending_uploads = pending_uploads - (old.state = 'uploading')::int
        WHERE owner_id = old.owner_id;
    IF old.listed_in = 'timeline' THEN
        UPDATE gallery.month_count SET photos = photos - 1 WHERE owner_id = old.owner_id AND month = old.month;
        DELETE FROM gallery.month_count WHERE owner_id = old.owner_id AND month = old.month AND photos <= 0;
        UPDATE gallery.tag_count SET photos = photos - 1 WHERE owner_id = old.owner_id AND key = ANY (old.tag_keys);
        DELETE FROM gallery.tag_count WHERE owner_id = old.owner_id AND key = ANY (old.tag_keys) AND photos <= 0;
        DELETE FROM gallery.photo_term WHERE owner_id = old.owner_id
            AND term = ANY (gallery.indexed_terms(old.terms, old.tag_keys)) AND timeline_at = old.timeline_at AND photo_id = old.id;
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION gallery.photo_updated() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    was_listed constant boolean := old.listed_in IS NOT DISTINCT FROM 'timeline';
    is_listed constant boolean := new.listed_in IS NOT DISTINCT FROM 'timeline';
    moved constant boolean := old.timeline_at <> new.timeline_at;
    old_terms text[] := '{}';
    new_terms text[] := '{}';
BEGIN
    IF (old.state = 'uploading') <> (new.state = 'uploading') THEN
        UPDATE gallery.usage
            SET pending_uploads = pending_uploads + (new.state = 'uploading')::int - (old.state = 'uploading')::int
            WHERE owner_id = new.owner_id;
    END IF;
    IF was_listed <> is_listed OR old.month <> new.month THEN
        IF was_listed THEN
            UPDATE gallery.month_count SET photos = photos - 1 WHERE owner_id = old.owner_id AND month = old.month;
            DELETE FROM gallery.month_count WHERE owner_id = old.owner_id AND month = old.month AND photos <= 0;
        END IF;
        IF is_listed THEN
            INSERT INTO gallery.month_count (owner_id, month, photos) VALUES (new.owner_id, new.month, 1)
                ON CONFLICT (owner_id, month) DO UPDATE SET photos = month_count.photos + 1;
        END IF;
    END IF;
    IF was_listed <> is_listed OR moved THEN
        UPDATE gallery.album_photo SET visible = is_listed, timeline_at = new.timeline_at WHERE photo_id = new.id;
    END IF;
    IF was_listed <> is_listed OR old.tag_keys <> new.tag_keys THEN
        UPDATE gallery.tag_count SET photos = photos - 1
            WHERE was_listed AND owner_id = old.owner_id AND key = ANY (old.tag_keys);
        INSERT INTO gallery.tag_count (owner_id, key, photos)
            SELECT new.owner_id, key, 1 FROM unnest(new.tag_keys) AS key WHERE is_listed
            ON CONFLICT (owner_id, key) DO UPDATE SET photos = tag_count.photos + 1;
        DELETE FROM gallery.tag_count
            WHERE was_listed AND owner_id = old.owner_id AND key = ANY (old.tag_keys) AND photos <= 0;
    END IF;
    IF was_listed <> is_listed OR moved OR old.terms <> new.terms OR old.tag_keys <> new.tag_keys THEN
        IF was_listed THEN
            old_terms := gallery.indexed_terms(old.terms, old.tag_keys);
        END IF;
        IF is_listed THEN
            new_terms := gallery.indexed_terms(new.terms, new.tag_keys);
        END IF;
        DELETE FROM gallery.photo_term WHERE owner_id = old.owner_id AND timeline_at = old.timeline_at AND photo_id = old.id
            AND term = ANY (ARRAY(SELECT term FROM unnest(old_terms) AS term WHERE moved OR term <> ALL (new_terms)));
        INSERT INTO gallery.photo_term (owner_id, term, timeline_at, photo_id)
            SELECT new.owner_id, term, new.timeline_at, new.id
            FROM unnest(new_terms) AS term WHERE moved OR term <> ALL (old_terms);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER photo_inserted AFTER INSERT ON gallery.photo FOR EACH ROW EXECUTE FUNCTION gallery.photo_inserted();
CREATE TRIGGER photo_deleted AFTER DELETE ON gallery.photo FOR EACH ROW EXECUTE FUNCTION gallery.photo_deleted();
CREATE TRIGGER photo_updated AFTER UPDATE ON gallery.photo FOR EACH ROW EXECUTE FUNCTION gallery.photo_updated();

-- The photos of an album are counted once a statement, however many it adds.
CREATE FUNCTION gallery.album_photo_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE gallery.album SET photo_count = photo_count + added.photos
        FROM (SELECT album_id, count(*) AS photos FROM new_places WHERE visible GROUP BY album_id) AS added
        WHERE id = added.album_id;
    RETURN NULL;
END
$$;

CREATE FUNCTION gallery.album_photo_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE gallery.album SET photo_count = photo_count + changed.photos
        FROM (SELECT album_id, sum(photos) AS photos
              FROM (SELECT album_id, visible::int AS photos FROM new_places
                    UNION ALL SELECT album_id, -visible::int FROM old_places) AS counted
              GROUP BY album_id HAVING sum(photos) <> 0) AS changed
        WHERE id = changed.album_id;
    RETURN NULL;
END
$$;

CREATE FUNCTION gallery.album_photo_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE gallery.album SET photo_count = photo_count - removed.photos
        FROM (SELECT album_id, count(*) AS photos FROM old_places WHERE visible GROUP BY album_id) AS removed
        WHERE id = removed.album_id;
    RETURN NULL;
END
$$;

CREATE TRIGGER album_photo_inserted AFTER INSERT ON gallery.album_photo REFERENCING NEW TABLE AS new_places
    FOR EACH STATEMENT EXECUTE FUNCTION gallery.album_photo_inserted();
CREATE TRIGGER album_photo_updated AFTER UPDATE ON gallery.album_photo REFERENCING OLD TABLE AS old_places NEW TABLE AS new_places
    FOR EACH STATEMENT EXECUTE FUNCTION gallery.album_photo_updated();
CREATE TRIGGER album_photo_deleted AFTER DELETE ON gallery.album_photo REFERENCING OLD TABLE AS old_places
    FOR EACH STATEMENT EXECUTE FUNCTION gallery.album_photo_deleted();

-- People with an account.
CREATE TABLE gallery.account (
    id uuid PRIMARY KEY,
    email text NOT NULL COLLATE "C" UNIQUE,
    name text NOT NULL,
    status text NOT NULL CHECK (status IN ('unconfirmed', 'active', 'closing')),
    quota_bytes bigint NOT NULL,
    quota_photos bigint NOT NULL,
    quota_pending_uploads bigint NOT NULL,
    created_at bigint NOT NULL,
    revision bigint NOT NULL
);

CREATE TABLE gallery.credential (
    user_id uuid PRIMARY KEY,
    password text NOT NULL,
    changed_at bigint NOT NULL
);

CREATE TABLE gallery.one_time_code (
    purpose text NOT NULL COLLATE "C",
    address text NOT NULL COLLATE "C",
    user_id uuid NOT NULL,
    hash bytea NOT NULL CHECK (length(hash) = 32),
    expires_at bigint NOT NULL,
    tries_left bigint NOT NULL,
    -- The hash of the password that becomes the user's when the code is accepted.
    password text,
    PRIMARY KEY (purpose, address)
);

CREATE INDEX one_time_code_by_user ON gallery.one_time_code (user_id);

CREATE TABLE gallery.session (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    token bytea NOT NULL UNIQUE CHECK (length(token) = 32),
    client text NOT NULL,
    created_at bigint NOT NULL,
    last_seen_at bigint NOT NULL,
    expires_at bigint NOT NULL
);

CREATE INDEX session_by_user ON gallery.session (user_id, created_at DESC, id DESC);
CREATE INDEX session_by_end ON gallery.session (expires_at);

CREATE TABLE gallery.idempotency_key (
    owner_id uuid NOT NULL,
    key text NOT NULL COLLATE "C",
    request bytea NOT NULL CHECK (length(request) = 32),
    subject_id uuid NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (owner_id, key)
);

CREATE INDEX idempotency_key_by_end ON gallery.idempotency_key (expires_at);

CREATE TABLE gallery.throttle (
    key text PRIMARY KEY COLLATE "C",
    attempts bigint NOT NULL,
    until_millis bigint NOT NULL,
    forgettable_at bigint NOT NULL
);

CREATE INDEX throttle_by_end ON gallery.throttle (forgettable_at);

CREATE TABLE gallery.work (
    kind text NOT NULL COLLATE "C" CHECK (kind IN ('photo', 'album', 'account')),
    owner_id uuid NOT NULL,
    -- The photo or the album; for an account the owner again.
    subject_id uuid NOT NULL,
    due_at bigint NOT NULL,
    attempts bigint NOT NULL,
    -- A random number for each claim; none while the item waits for its first one.
    claim bigint,
    PRIMARY KEY (kind, owner_id, subject_id)
);

CREATE INDEX work_due ON gallery.work (due_at, kind, owner_id, subject_id);
