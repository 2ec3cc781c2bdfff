ALTER TABLE requests ADD COLUMN meta_request_status text;
COMMENT ON COLUMN requests.meta_request_status IS 'request_status of Meta''s request as Meta spelled it (PENDING, DECLINE, ...); NULL: not asked for, or not readable';
