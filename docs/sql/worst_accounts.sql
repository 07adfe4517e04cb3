-- The users refused most, with route, cause and time range, without challenges and
-- anonymous visitors.
SELECT user_name, url_template, auth_cause, count(*) AS refused, min(timestamp) AS since, max(timestamp) AS until
FROM 'lake/dt=*/unauthorized.parquet'
WHERE auth_cause NOT IN ('challenge', 'anonymous')
GROUP BY ALL
ORDER BY refused DESC
LIMIT 20;
