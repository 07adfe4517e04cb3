-- All 401s of the most severe finding, with file and line number.
SELECT timestamp, client_address, user_name, http_request_method, url_path, log_file_path, log_line
FROM 'lake/dt=*/unauthorized.parquet'
WHERE finding_id = (
  SELECT id FROM 'lake/dt=*/findings.parquet'
  ORDER BY list_position(['info', 'low', 'medium', 'high', 'critical'], severity) DESC, unauthorized DESC
  LIMIT 1)
ORDER BY timestamp;
