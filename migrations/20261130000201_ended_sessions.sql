-- A session that was ended leaves its row for a week, without what was in it, so that its browser can be told what happened.
ALTER TABLE sessions ADD COLUMN ended text CHECK (ended IN ('by_self', 'by_admin', 'removed'));
COMMENT ON COLUMN sessions.ended IS 'Who ended it from elsewhere: the member, an admin, or an admin who removed the member; NULL: nobody did';
