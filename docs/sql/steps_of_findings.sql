-- What to do, one row per step, for the findings of the last night, most severe first.
WITH findings AS (
  FROM read_parquet('lake/dt=*/findings.parquet', hive_partitioning = true)
  QUALIFY dt = max(dt) OVER ()
)
SELECT severity, title, generate_subscripts(remediation, 1) AS step, unnest(remediation) AS what_to_do, id
FROM findings
WHERE muted_reason IS NULL
ORDER BY list_position(['info', 'low', 'medium', 'high', 'critical'], severity) DESC, unauthorized DESC, id, step;
