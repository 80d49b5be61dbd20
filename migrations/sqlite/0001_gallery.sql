-- Ids are the 16 bytes of their UUID, times are milliseconds since 1970, texts compare byte by byte.
--
-- What is derived from a photo alone (where it is listed, its month, its place in time, whether it holds its content) is told by
-- the domain and written beside it, so that the domain's rules stand in one place. What is counted over photos is kept by triggers:
-- they see every transition of a row, whichever statement or cascade brings it about, within the same transaction.

CREATE TABLE photo (
    -- Orders the search index by time: the second of the timeline since year 1, times 2^24, and a number within that second.
    -- A search streams the index by this number; photos of one second are put into their exact order after that.
    row INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    owner_id BLOB NOT NULL CHECK (length(owner_id) = 16),
    file_name TEXT NOT NULL,
    content_type TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    -- A JSON array of [key, spelling].
    tags TEXT NOT NULL,
    favourite INTEGER NOT NULL,
    taken_at TEXT,
    state TEXT NOT NULL CHECK (state IN ('uploading', 'processing', 'ready', 'failed', 'erasing')),
    -- JSON, once it is ready.
    facts TEXT,
    -- JSON, once it has failed.
    failure TEXT,
    -- Once it is being erased: when its row may go.
    settled_at INTEGER,
    trashed_at INTEGER,
    trashed_with BLOB,
    created_at INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    timeline_at INTEGER NOT NULL,
    month TEXT NOT NULL,
    listed_in TEXT CHECK (listed_in IN ('timeline', 'trash', 'unfinished')),
    holds_content INTEGER NOT NULL,
    -- JSON: the terms of all texts as a list under "all", and which of them stand in the title and in the description.
    terms TEXT NOT NULL,
    CHECK (row >> 24 = (timeline_at + 62135596800000) / 1000),
    CHECK ((state = 'ready') = (facts IS NOT NULL)),
    CHECK ((state = 'failed') = (failure IS NOT NULL)),
    CHECK ((state = 'erasing') = (settled_at IS NOT NULL))
) STRICT;

CREATE INDEX photo_all ON photo (owner_id, id);
CREATE INDEX photo_timeline ON photo (owner_id, timeline_at DESC, id DESC) WHERE listed_in = 'timeline';
CREATE INDEX photo_favourites ON photo (owner_id, timeline_at DESC, id DESC) WHERE listed_in = 'timeline' AND favourite = 1;
CREATE INDEX photo_trash ON photo (owner_id, trashed_at DESC, id DESC) WHERE listed_in = 'trash';
CREATE INDEX photo_unfinished ON photo (owner_id, created_at DESC, id DESC) WHERE listed_in = 'unfinished';
-- An owner has each content once.
CREATE UNIQUE INDEX photo_content ON photo (owner_id, sha256) WHERE holds_content = 1;

-- The terms of the photos in the timeline, each behind the 32 hexadecimal digits of its owner, and those digits alone once for each
-- photo; between them line feeds. So the postings that a search reads are its owner's only, and everything that a term may hold is
-- part of the token, as it is: nothing in SQLite cuts or folds words. Beginnings of one to four characters, each behind the 32 digits,
-- have postings of their own, so that the first letters that somebody types are answered like whole words.
CREATE VIRTUAL TABLE photo_index USING fts5 (
    terms,
    content = '',
    contentless_delete = 1,
    detail = none,
    prefix = '33 34 35 36',
    tokenize = "ascii tokenchars ' !""#$%&''()*+,-./:;<=>?@[\]^_`{|}~'"
);

CREATE TABLE usage (
    owner_id BLOB PRIMARY KEY,
    bytes INTEGER NOT NULL,
    photos INTEGER NOT NULL,
    pending_uploads INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE month_count (
    owner_id BLOB NOT NULL,
    month TEXT NOT NULL,
    photos INTEGER NOT NULL,
    PRIMARY KEY (owner_id, month)
) STRICT, WITHOUT ROWID;

-- The tags of the photos in the timeline.
CREATE TABLE photo_tag (
    owner_id BLOB NOT NULL,
    key TEXT NOT NULL,
    photo_id BLOB NOT NULL,
    spelling TEXT NOT NULL,
    PRIMARY KEY (owner_id, key, photo_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE tag_count (
    owner_id BLOB NOT NULL,
    key TEXT NOT NULL,
    photos INTEGER NOT NULL,
    PRIMARY KEY (owner_id, key)
) STRICT, WITHOUT ROWID;

-- The terms of the photos in the timeline: which there are, and how many photos the search index would name for each.
CREATE TABLE term_count (
    owner_id BLOB NOT NULL,
    term TEXT NOT NULL,
    photos INTEGER NOT NULL,
    PRIMARY KEY (owner_id, term)
) STRICT, WITHOUT ROWID;

CREATE TABLE album (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    owner_id BLOB NOT NULL CHECK (length(owner_id) = 16),
    title TEXT NOT NULL,
    title_key TEXT NOT NULL,
    description TEXT NOT NULL,
    cover BLOB,
    trashed_at INTEGER,
    trashed_photos TEXT CHECK (trashed_photos IN ('delete', 'keep')),
    created_at INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    photo_count INTEGER NOT NULL DEFAULT 0,
    CHECK ((trashed_at IS NULL) = (trashed_photos IS NULL))
) STRICT;

CREATE INDEX album_all ON album (owner_id, id);
CREATE INDEX album_list ON album (owner_id, created_at DESC, id DESC) WHERE trashed_at IS NULL;
CREATE INDEX album_trash ON album (owner_id, trashed_at DESC, id DESC) WHERE trashed_at IS NOT NULL;
CREATE INDEX album_title ON album (owner_id, title_key, created_at DESC, id DESC) WHERE trashed_at IS NULL;

-- Whether the photo is in the timeline, and where, is repeated here for the lists of visible photos by rank and by time.
CREATE TABLE album_photo (
    album_id BLOB NOT NULL REFERENCES album (id) ON DELETE CASCADE,
    photo_id BLOB NOT NULL REFERENCES photo (id) ON DELETE CASCADE,
    rank TEXT NOT NULL,
    visible INTEGER NOT NULL,
    timeline_at INTEGER NOT NULL,
    PRIMARY KEY (album_id, photo_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX album_photo_by_rank ON album_photo (album_id, rank, photo_id);
CREATE INDEX album_photo_visible ON album_photo (album_id, rank, photo_id) WHERE visible = 1;
CREATE INDEX album_photo_timeline ON album_photo (album_id, timeline_at DESC, photo_id DESC) WHERE visible = 1;
CREATE INDEX album_photo_by_photo ON album_photo (photo_id, album_id);

CREATE TRIGGER photo_inserted AFTER INSERT ON photo BEGIN
    INSERT INTO usage (owner_id, bytes, photos, pending_uploads)
        VALUES (new.owner_id, new.bytes, 1, new.state = 'uploading')
        ON CONFLICT (owner_id) DO UPDATE SET bytes = bytes + excluded.bytes, photos = photos + 1,
            pending_uploads = pending_uploads + excluded.pending_uploads;
    INSERT INTO month_count (owner_id, month, photos)
        SELECT new.owner_id, new.month, 1 WHERE new.listed_in = 'timeline'
        ON CONFLICT (owner_id, month) DO UPDATE SET photos = photos + 1;
    INSERT INTO photo_tag (owner_id, key, photo_id, spelling)
        SELECT new.owner_id, value ->> 0, new.id, value ->> 1 FROM json_each(new.tags) WHERE new.listed_in = 'timeline'
        ON CONFLICT (owner_id, key, photo_id) DO UPDATE SET spelling = excluded.spelling;
    INSERT INTO term_count (owner_id, term, photos)
        SELECT new.owner_id, value, 1 FROM json_each(new.terms, '$.all') WHERE new.listed_in = 'timeline'
        ON CONFLICT (owner_id, term) DO UPDATE SET photos = photos + 1;
END;

CREATE TRIGGER photo_deleted AFTER DELETE ON photo BEGIN
    UPDATE usage SET bytes = bytes - old.bytes, photos = photos - 1, pending_uploads = pending_uploads - (old.state = 'uploading')
        WHERE owner_id = old.owner_id;
    UPDATE month_count SET photos = photos - 1
        WHERE old.listed_in = 'timeline' AND owner_id = old.owner_id AND month = old.month;
    DELETE FROM month_count WHERE owner_id = old.owner_id AND month = old.month AND photos <= 0;
    DELETE FROM photo_tag
        WHERE owner_id = old.owner_id AND key IN (SELECT value ->> 0 FROM json_each(old.tags)) AND photo_id = old.id;
    UPDATE term_count SET photos = photos - 1
        WHERE old.listed_in = 'timeline' AND owner_id = old.owner_id AND term IN (SELECT value FROM json_each(old.terms, '$.all'));
    DELETE FROM term_count
        WHERE owner_id = old.owner_id AND term IN (SELECT value FROM json_each(old.terms, '$.all')) AND photos <= 0;
END;

CREATE TRIGGER photo_state_changed AFTER UPDATE OF state ON photo
WHEN (old.state = 'uploading') <> (new.state = 'uploading') BEGIN
    UPDATE usage SET pending_uploads = pending_uploads + (new.state = 'uploading') - (old.state = 'uploading')
        WHERE owner_id = new.owner_id;
END;

CREATE TRIGGER photo_moved AFTER UPDATE OF listed_in, month, timeline_at ON photo
WHEN old.listed_in IS NOT new.listed_in OR old.timeline_at <> new.timeline_at OR old.month <> new.month BEGIN
    UPDATE month_count SET photos = photos - 1
        WHERE old.listed_in = 'timeline' AND owner_id = old.owner_id AND month = old.month;
    INSERT INTO month_count (owner_id, month, photos)
        SELECT new.owner_id, new.month, 1 WHERE new.listed_in = 'timeline'
        ON CONFLICT (owner_id, month) DO UPDATE SET photos = photos + 1;
    DELETE FROM month_count WHERE owner_id = old.owner_id AND month = old.month AND photos <= 0;
    UPDATE album_photo SET visible = new.listed_in IS 'timeline', timeline_at = new.timeline_at WHERE photo_id = new.id;
END;

CREATE TRIGGER photo_tags_changed AFTER UPDATE OF listed_in, tags ON photo
WHEN old.listed_in IS NOT new.listed_in OR old.tags <> new.tags BEGIN
    DELETE FROM photo_tag
        WHERE owner_id = old.owner_id AND key IN (SELECT value ->> 0 FROM json_each(old.tags)) AND photo_id = old.id;
    INSERT INTO photo_tag (owner_id, key, photo_id, spelling)
        SELECT new.owner_id, value ->> 0, new.id, value ->> 1 FROM json_each(new.tags) WHERE new.listed_in = 'timeline'
        ON CONFLICT (owner_id, key, photo_id) DO UPDATE SET spelling = excluded.spelling;
END;

CREATE TRIGGER photo_terms_changed AFTER UPDATE OF listed_in, terms ON photo
WHEN old.listed_in IS NOT new.listed_in OR old.terms <> new.terms BEGIN
    UPDATE term_count SET photos = photos - 1
        WHERE old.listed_in = 'timeline' AND owner_id = old.owner_id AND term IN (SELECT value FROM json_each(old.terms, '$.all'));
    DELETE FROM term_count
        WHERE owner_id = old.owner_id AND term IN (SELECT value FROM json_each(old.terms, '$.all')) AND photos <= 0;
    INSERT INTO term_count (owner_id, term, photos)
        SELECT new.owner_id, value, 1 FROM json_each(new.terms, '$.all') WHERE new.listed_in = 'timeline'
        ON CONFLICT (owner_id, term) DO UPDATE SET photos = photos + 1;
END;

CREATE TRIGGER photo_tag_inserted AFTER INSERT ON photo_tag BEGIN
    INSERT INTO tag_count (owner_id, key, photos) VALUES (new.owner_id, new.key, 1)
        ON CONFLICT (owner_id, key) DO UPDATE SET photos = photos + 1;
END;

CREATE TRIGGER photo_tag_deleted AFTER DELETE ON photo_tag BEGIN
    UPDATE tag_count SET photos = photos - 1 WHERE owner_id = old.owner_id AND key = old.key;
    DELETE FROM tag_count WHERE owner_id = old.owner_id AND key = old.key AND photos <= 0;
END;

CREATE TRIGGER album_photo_inserted AFTER INSERT ON album_photo WHEN new.visible = 1 BEGIN
    UPDATE album SET photo_count = photo_count + 1 WHERE id = new.album_id;
END;

CREATE TRIGGER album_photo_changed AFTER UPDATE OF visible ON album_photo WHEN old.visible <> new.visible BEGIN
    UPDATE album SET photo_count = photo_count + new.visible - old.visible WHERE id = new.album_id;
END;

CREATE TRIGGER album_photo_deleted AFTER DELETE ON album_photo WHEN old.visible = 1 BEGIN
    UPDATE album SET photo_count = photo_count - 1 WHERE id = old.album_id;
END;

-- People with an account.
CREATE TABLE account (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('unconfirmed', 'active', 'closing')),
    quota_bytes INTEGER NOT NULL,
    quota_photos INTEGER NOT NULL,
    quota_pending_uploads INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    revision INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE credential (
    user_id BLOB PRIMARY KEY,
    password TEXT NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE one_time_code (
    purpose TEXT NOT NULL,
    address TEXT NOT NULL,
    user_id BLOB NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    expires_at INTEGER NOT NULL,
    tries_left INTEGER NOT NULL,
    -- The hash of the password that becomes the user's when the code is accepted.
    password TEXT,
    PRIMARY KEY (purpose, address)
) STRICT, WITHOUT ROWID;

CREATE INDEX one_time_code_by_user ON one_time_code (user_id);

CREATE TABLE session (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    user_id BLOB NOT NULL,
    token BLOB NOT NULL UNIQUE CHECK (length(token) = 32),
    client TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX session_by_user ON session (user_id, created_at DESC, id DESC);
CREATE INDEX session_by_end ON session (expires_at);

CREATE TABLE idempotency_key (
    owner_id BLOB NOT NULL,
    key TEXT NOT NULL,
    request BLOB NOT NULL CHECK (length(request) = 32),
    subject_id BLOB NOT NULL CHECK (length(subject_id) = 16),
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (owner_id, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_key_by_end ON idempotency_key (expires_at);

CREATE TABLE throttle (
    key TEXT PRIMARY KEY,
    attempts INTEGER NOT NULL,
    until_millis INTEGER NOT NULL,
    forgettable_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX throttle_by_end ON throttle (forgettable_at);

CREATE TABLE work (
    kind TEXT NOT NULL CHECK (kind IN ('photo', 'album', 'account')),
    owner_id BLOB NOT NULL,
    -- The photo or the album; for an account the owner again.
    subject_id BLOB NOT NULL,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    -- A random number for each claim; none while the item waits for its first one.
    claim INTEGER,
    PRIMARY KEY (kind, owner_id, subject_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX work_due ON work (due_at, kind, owner_id, subject_id);
