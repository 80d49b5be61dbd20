-- A gallery of version 1: what its program wrote. Never changed once that version is released.

INSERT INTO gallery.account VALUES ('0198aa00-0000-7000-8000-000000000001', 'ada@example.org', 'Ada', 'active', 1000000, 1000, 100, 1717243200000, 1);
INSERT INTO gallery.credential VALUES ('0198aa00-0000-7000-8000-000000000001', '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g', 1717243200000);
INSERT INTO gallery.session VALUES ('0198aa00-0000-7000-8000-000000000002', '0198aa00-0000-7000-8000-000000000001', decode(repeat('00', 32), 'hex'), '',
    1717243200000, 1717243200000, 4102444800000);
INSERT INTO gallery.throttle VALUES ('key', 1, 1717243200000, 4102444800000);

INSERT INTO gallery.photo (id, owner_id, file_name, content_type, bytes, sha256, title, description, tags, tag_keys, favourite, state, facts,
        trashed_at, created_at, revision, timeline_at, month, listed_in, holds_content, terms, words)
    VALUES ('0198aa00-0000-7000-8000-000000000011', '0198aa00-0000-7000-8000-000000000001', 'sunrise', 'image/jpeg', 1001,
        decode(repeat('11', 32), 'hex'), 'Winter lake', '', '{Snow}', '{snow}', true, 'ready',
        '{"media_type":"image/jpeg","width":4000,"height":3000,"placeholder":[1,2,3],"exif":{"make":"SONY","iso":100},"damaged":false}',
        NULL, 1717243200000, 3, 1717243200000, '2024-06', 'timeline', true, array_to_tsvector('{#snow,snow,winter,lake,sunrise}'),
        '{"all":["#snow","lake","snow","sunrise","winter"],"title":["lake","winter"]}'),
    ('0198aa00-0000-7000-8000-000000000012', '0198aa00-0000-7000-8000-000000000001', 'sunset', 'image/jpeg', 1002,
        decode(repeat('22', 32), 'hex'), '', '', '{}', '{}', false, 'ready',
        '{"media_type":"image/jpeg","width":4000,"height":3000,"placeholder":[1,2,3],"exif":{},"damaged":false}',
        1717250000000, 1717243260000, 2, 1717243260000, '2024-06', 'trash', false, array_to_tsvector('{sunset}'), '{"all":["sunset"]}');

INSERT INTO gallery.album (id, owner_id, title, title_key, description, created_at, revision)
    VALUES ('0198aa00-0000-7000-8000-000000000021', '0198aa00-0000-7000-8000-000000000001', 'Winter', 'winter', '', 1717243200000, 1);
INSERT INTO gallery.album_photo VALUES
    ('0198aa00-0000-7000-8000-000000000021', '0198aa00-0000-7000-8000-000000000011', 'V', true, 1717243200000),
    ('0198aa00-0000-7000-8000-000000000021', '0198aa00-0000-7000-8000-000000000012', 'k', false, 1717243260000);
INSERT INTO gallery.work VALUES ('photo', '0198aa00-0000-7000-8000-000000000001', '0198aa00-0000-7000-8000-000000000012', 1719842000000, 0, NULL);
