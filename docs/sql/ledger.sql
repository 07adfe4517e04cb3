-- Inputs with their line counts (lines = parsed + rejected + skipped) and errors.
SELECT dt, log_file_path, format, lines, parsed, rejected, skipped, unauthorized, error
FROM read_parquet('lake/dt=*/inputs.parquet', hive_partitioning = true)
ORDER BY rejected DESC, dt, log_file_path;
