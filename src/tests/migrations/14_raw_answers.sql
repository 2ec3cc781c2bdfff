UPDATE graph_calls SET body = '', body_dropped_at = now() WHERE error_code = 200;
