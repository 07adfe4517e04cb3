-- The addresses behind each finding: how many 401s, names they tried, and whether other
-- requests of theirs were accepted, which a block would hit.
SELECT f.title, u.client_address, count(*) AS refused, count(DISTINCT u.user_name) AS names_tried,
       any_value(c.accepted) AS accepted_requests, min(u.timestamp) AS since, max(u.timestamp) AS until
FROM read_parquet('lake/dt=*/unauthorized.parquet', hive_partitioning = true) u
JOIN read_parquet('lake/dt=*/findings.parquet', hive_partitioning = true) f ON f.dt = u.dt AND f.id = u.finding_id
LEFT JOIN (
  FROM read_parquet('lake/dt=*/clients.parquet', hive_partitioning = true)
  SELECT dt, client_address, sum(accepted) AS accepted
  GROUP BY ALL
) c ON c.dt = u.dt AND c.client_address = u.client_address
GROUP BY f.title, u.dt, u.client_address
ORDER BY f.title, refused DESC;
