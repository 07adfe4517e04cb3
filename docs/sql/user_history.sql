-- Every refusal of one person with its cause: put the user name or address that a customer
-- gives in the place of the subquery, which takes who was refused most.
SELECT timestamp, http_request_method, server_address, url_path, auth_cause, auth_reason, user_name, client_address, log_file_path, log_line
FROM 'lake/dt=*/unauthorized.parquet'
WHERE coalesce(user_name, client_address) = (
  SELECT coalesce(user_name, client_address) AS who FROM 'lake/dt=*/unauthorized.parquet'
  WHERE who IS NOT NULL GROUP BY who ORDER BY count(*) DESC, who LIMIT 1)
ORDER BY timestamp;
