-- Findings of the last night that no earlier night had: what to look at this morning.
WITH findings AS (
  FROM read_parquet('lake/dt=*/findings.parquet', hive_partitioning = true)
  SELECT *, min(dt) OVER (PARTITION BY id) AS first_night, max(dt) OVER () AS last_night
)
SELECT severity, title, onset, unauthorized, actors, users, id
FROM findings
WHERE dt = last_night AND first_night = last_night
ORDER BY list_position(['info', 'low', 'medium', 'high', 'critical'], severity) DESC, unauthorized DESC;
