-- Searches that a member gave a name.
CREATE TABLE saved_views (
    view_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner_id meta_id NOT NULL,
    member_id bigint NOT NULL REFERENCES members,
    place text NOT NULL CHECK (place IN ('/requests', '/businesses')),
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 60),
    query text NOT NULL CHECK (char_length(query) <= 6000),
    shared boolean NOT NULL,
    saved_at timestamptz NOT NULL,
    CONSTRAINT uq_saved_views UNIQUE (partner_id, member_id, place, name)
);
COMMENT ON TABLE saved_views IS 'Searches that a member gave a name, to be opened again by them or by everybody of the partner';
COMMENT ON COLUMN saved_views.view_id IS 'Ours';
COMMENT ON COLUMN saved_views.partner_id IS 'The tenant';
COMMENT ON COLUMN saved_views.member_id IS 'Whose it is; they may have been removed since';
COMMENT ON COLUMN saved_views.place IS 'The page it is a view of';
COMMENT ON COLUMN saved_views.name IS 'What the member calls it';
COMMENT ON COLUMN saved_views.query IS 'The part of the address behind the question mark';
COMMENT ON COLUMN saved_views.shared IS 'Everybody of the partner sees it';
COMMENT ON COLUMN saved_views.saved_at IS 'When it was last saved';
CALL wall_off('saved_views', 'SELECT, INSERT, UPDATE, DELETE');
