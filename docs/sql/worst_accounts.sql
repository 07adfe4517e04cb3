-- Who is refused most, where and since when, handshakes and anonymous visitors
-- left out.
SELECT user_name, url_template, auth_cause, count(*) AS refused, min(timestamp) AS since, max(timestamp) AS until
FROM 'lake/dt=*/unauthorized.parquet'
WHERE auth_cause NOT IN ('challenge', 'anonymous')
GROUP BY ALL
ORDER BY refused DESC
LIMIT 20;
