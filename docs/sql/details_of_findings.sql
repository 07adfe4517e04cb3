-- Figures that only some kinds have, such as the timeout of sessions and the accounts that
-- an attack entered. details is JSON.
SELECT dt, kind, title, details ->> 'policy' AS policy, (details ->> 'timeout_seconds')::DOUBLE / 60 AS timeout_minutes,
       (details ->> 'compromised') AS accounts_entered, details
FROM read_parquet('lake/dt=*/findings.parquet', hive_partitioning = true)
ORDER BY dt DESC, unauthorized DESC;
