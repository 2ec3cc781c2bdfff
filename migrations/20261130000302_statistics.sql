-- Statistics are taken anew once one row in two hundred is new, not one in ten: until then the planner knows nothing of a partner that
-- came since, takes its requests and calls for a handful, and reads them all where an index would find the one. So there are never
-- more of these than that reads in a moment.
ALTER TABLE requests SET (autovacuum_analyze_scale_factor = 0.005, autovacuum_analyze_threshold = 1000);
ALTER TABLE graph_calls SET (autovacuum_analyze_scale_factor = 0.005, autovacuum_analyze_threshold = 1000);
ALTER TABLE request_events SET (autovacuum_analyze_scale_factor = 0.005, autovacuum_analyze_threshold = 1000);
ALTER TABLE batches SET (autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 100);
