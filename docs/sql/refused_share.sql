-- Endpoints by the share of their actors that they refuse. An endpoint that refuses
-- nearly all of many actors is broken; one that refuses a few has visitors.
SELECT server_address, http_request_method, url_template, protected,
       sum(requests) AS requests, sum(unauthorized) AS refused,
       round(100.0 * sum(refused_actors) / sum(actors), 1) AS percent_of_actors, max(finding_id) AS finding
FROM 'lake/dt=*/endpoints.parquet'
GROUP BY ALL
HAVING sum(unauthorized) > 0
ORDER BY percent_of_actors DESC, refused DESC
LIMIT 50;
