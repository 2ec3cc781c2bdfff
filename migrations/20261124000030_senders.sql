-- Whose requests there is a token for. Dispatch asks it before it takes any up; sign_in/sending.rs picks the token by the same rule:
-- the system user's, else the member's own, else, for those who were removed or may send no more, that of another who may.
CREATE FUNCTION senders(at timestamptz) RETURNS TABLE (member bigint, since timestamptz)
    LANGUAGE sql STABLE ROWS 20
    AS $$
    SELECT c.member_id, greatest(c.stored_at, dead.died_at)
    FROM (
        SELECT m.member_id,
            coalesce(s.stored_at, own.stored_at, CASE WHEN m.removed_at IS NOT NULL OR m.role = 'support' THEN other.stored_at END) AS stored_at
        FROM members m
        LEFT JOIN system_user_tokens s ON s.partner_id = m.partner_id AND s.problem IS NULL AND (s.expires_at IS NULL OR s.expires_at > at)
        LEFT JOIN tokens own ON own.partner_id = m.partner_id AND own.member_id = m.member_id AND m.removed_at IS NULL
            AND own.problem IS NULL AND (own.expires_at IS NULL OR own.expires_at > at)
        CROSS JOIN (
            SELECT max(t.stored_at) AS stored_at
            FROM tokens t JOIN members o ON o.member_id = t.member_id
            WHERE t.partner_id = current_partner() AND o.removed_at IS NULL AND o.role <> 'support'
                AND t.problem IS NULL AND (t.expires_at IS NULL OR t.expires_at > at)
        ) AS other
        WHERE m.partner_id = current_partner()
    ) AS c
    -- When the token before was refused its requests wait for a sign-in, though the next one in line may do: it's new to them.
    CROSS JOIN (
        SELECT max(d.problem_at) AS died_at
        FROM (
            SELECT t.problem_at FROM tokens t WHERE t.partner_id = current_partner()
            UNION ALL SELECT u.problem_at FROM system_user_tokens u WHERE u.partner_id = current_partner()
        ) AS d
    ) AS dead
    WHERE c.stored_at IS NOT NULL
$$;
COMMENT ON FUNCTION senders(timestamptz) IS 'Members whose requests can be sent at that time, and since when the token stands that they would be sent with: requests that wait for a sign-in since before are due';
