COMMENT ON COLUMN requests.accepted_at IS
    'Since when the terms are signed: the hour Meta names, the end of the day where it names a day alone; never before Meta took the request, nor after we saw it';
