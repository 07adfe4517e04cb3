-- The nights in which each finding was reported. A fault has the same id every night.
SELECT id, any_value(kind) AS kind, max_by(title, dt) AS title, min(dt) AS first_night, max(dt) AS last_night,
       count(DISTINCT dt) AS nights, sum(unauthorized) AS refused
FROM read_parquet('lake/dt=*/findings.parquet', hive_partitioning = true)
GROUP BY id
ORDER BY last_night DESC, refused DESC;
