UPDATE requests SET meta_request_status = 'DECLINE' WHERE state = 'requested';
