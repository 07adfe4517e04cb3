-- How long sessions lived, by how they ended, and the longest silence that any
-- of them survived: what is refused beyond it is an idle timeout.
SELECT server_address, coalesce(end_cause, 'alive at the end') AS ended_by, count(*) AS sessions,
       round(median(date_diff('second', start_time, coalesce(end_time, last_accepted_time))) / 60, 1) AS median_minutes,
       round(max(longest_gap_seconds) / 60, 1) AS longest_silence_minutes
FROM 'lake/dt=*/sessions.parquet'
GROUP BY ALL
ORDER BY sessions DESC;
