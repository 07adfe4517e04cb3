-- How long sessions lived, by how they ended, and the longest idle time that any of
-- them survived, which is a lower bound of the idle timeout. With --state, a session
-- that continues over midnight has a row in each night: use the last one.
SELECT server_address, coalesce(end_cause, 'alive at the end') AS ended_by, count(*) AS sessions,
       round(median(date_diff('second', start_time, coalesce(end_time, last_accepted_time))) / 60, 1) AS median_minutes,
       round(max(longest_gap_seconds) / 60, 1) AS longest_silence_minutes
FROM (
  FROM read_parquet('lake/dt=*/sessions.parquet', hive_partitioning = true)
  QUALIFY row_number() OVER (PARTITION BY session_id, client_address, user_agent_original, start_time ORDER BY dt DESC) = 1
)
GROUP BY ALL
ORDER BY sessions DESC;
