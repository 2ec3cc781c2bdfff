-- Every request that is sent writes its business's row anew, and each index with it; so there are no more of them than are needed.
--
-- Those that wait, by name, are found along idx_businesses_name, which holds since when they wait. Where hardly anybody waited as
-- statistics were last taken, this one was read from end to end for the count of those that wait too long.
DROP INDEX idx_businesses_waiting_name;
-- Ids that begin with some digits are found along the keys: digits are sorted alike by every collation.
DROP INDEX idx_businesses_id_prefix;
DROP INDEX idx_wabas_id_prefix;
