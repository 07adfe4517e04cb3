-- 401s by hour: their share of all requests, and how many are unexplained.
SELECT time_bucket(INTERVAL 1 HOUR, timestamp) AS hour, server_address, sum(requests) AS requests,
       sum(unauthorized) AS refused, sum(unauthorized_unexplained) AS unexplained,
       round(100.0 * sum(unauthorized) / sum(requests), 2) AS percent_refused
FROM 'lake/dt=*/timeline.parquet'
GROUP BY ALL
ORDER BY hour, server_address;
