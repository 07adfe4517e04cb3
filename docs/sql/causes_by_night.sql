-- Number of 401s, clients and users by cause and night.
SELECT dt, auth_cause, count(*) AS refused, count(DISTINCT client_address) AS clients, count(DISTINCT user_name) AS users
FROM read_parquet('lake/dt=*/unauthorized.parquet', hive_partitioning = true)
GROUP BY ALL
ORDER BY dt, refused DESC;
