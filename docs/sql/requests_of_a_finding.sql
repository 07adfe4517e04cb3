-- What the clients of each finding did within five minutes before and after its 401s,
-- refused or not: whether they were accepted elsewhere, and where. Needs --requests.
WITH refused AS (
  FROM read_parquet('lake/dt=*/unauthorized.parquet', hive_partitioning = true)
  SELECT dt, finding_id, client_address, user_agent_original, min(timestamp) AS first, max(timestamp) AS last
  WHERE finding_id IS NOT NULL
  GROUP BY ALL
)
SELECT f.id AS finding_id, any_value(f.title) AS title, r.http_request_method, r.url_template, r.http_response_status_code,
       count(*) AS requests, count(DISTINCT r.client_address) AS clients
FROM read_parquet('lake/dt=*/findings.parquet', hive_partitioning = true) f
JOIN refused x ON x.dt = f.dt AND x.finding_id = f.id
JOIN read_parquet('lake/dt=*/requests.parquet', hive_partitioning = true) r
  ON r.dt = x.dt AND r.client_address = x.client_address AND r.user_agent_original IS NOT DISTINCT FROM x.user_agent_original
  AND r.timestamp BETWEEN x.first - INTERVAL 5 MINUTE AND x.last + INTERVAL 5 MINUTE
GROUP BY f.id, r.http_request_method, r.url_template, r.http_response_status_code
ORDER BY finding_id, requests DESC;
