import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.RuntimeExecutionMode;
import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;

/**
 * Scans logs on a Flink cluster: does the tasks of a plan with logscan map, and merges the parts.
 *
 * <pre>
 * tasks=$(logscan plan -o s3://work/job-1/plan.json s3://logs/web/)
 * flink run logscan-flink.jar --plan s3://work/job-1/plan.json --tasks $tasks --out report -- --fail-on high
 * </pre>
 *
 * <p>The program logscan is found on the PATH of all machines, or is what --logscan names there. Plan and parts (--parts,
 * default: parts, beside the plan) are absolute paths or s3:// URLs, the same on all machines. Flags after -- go to the last
 * logscan reduce, which runs here when the job is done, and whose exit code is that of this program.
 *
 * <p>Only numbers pass through Flink. A task that is retried writes the same part again. See docs/howto-scale.md.
 */
public final class LogscanFlink {
    /**
     * How many parts are merged at a time: as many as logscan reduce reads at a time. Fewer are not worth it: all that they
     * hold is written once more, and the last reduce has to read it anyway.
     */
    private static final long GROUP = 512;

    /**
     * How many failures of tasks and machines in a row a job survives, and the first and the longest pause after one. Until
     * Flink notices that a TaskManager is lost, which takes half a minute by default, all tasks fail that it gives to it.
     */
    private static final String ATTEMPTS = "10", FIRST_DELAY = "1 s", LONGEST_DELAY = "15 s";

    /** How often the client asks whether the job is done. By itself it would notice up to two seconds late. */
    private static final long POLL_MILLISECONDS = 250;

    /** How much of the messages of a failed program an exception repeats, in characters. */
    private static final int MESSAGES = 4000;

    public static void main(String[] args) throws Exception {
        Map<String, String> options = new HashMap<>();
        int i = 0;
        for (; i < args.length && !args[i].equals("--"); i += 2) {
            if (!args[i].startsWith("--") || i + 1 == args.length) {
                throw new IllegalArgumentException("want --plan PLAN --tasks N [--parts DIR] [--out DIR] [--logscan PROGRAM] [-- REDUCE FLAGS]");
            }
            options.put(args[i].substring(2), args[i + 1]);
        }
        String plan = options.get("plan");
        long parts = Long.parseLong(options.get("tasks"));
        String program = options.getOrDefault("logscan", "logscan");
        String directory = options.getOrDefault("parts", plan.substring(0, plan.lastIndexOf('/') + 1) + "parts");

        Configuration configuration = new Configuration();
        configuration.setString("restart-strategy.type", "exponential-delay");
        configuration.setString("restart-strategy.exponential-delay.attempts-before-reset-backoff", ATTEMPTS);
        configuration.setString("restart-strategy.exponential-delay.initial-backoff", FIRST_DELAY);
        configuration.setString("restart-strategy.exponential-delay.max-backoff", LONGEST_DELAY);
        configuration.setString("restart-strategy.exponential-delay.backoff-multiplier", "2");
        StreamExecutionEnvironment flink = StreamExecutionEnvironment.getExecutionEnvironment(configuration);
        flink.setRuntimeMode(RuntimeExecutionMode.BATCH);
        // Each task is a subtask of its own, which a slot takes when it is free, and which is retried alone.
        DataStream<Long> groups = flink.fromSequence(0, parts - 1).setParallelism(1).rebalance()
            .map(new Merge(program, plan, directory, 0, parts)).returns(Types.LONG).setParallelism((int) parts);
        int level = 0;
        for (; parts > GROUP; parts = groups(parts)) {
            level++;
            // A batch emits the number of a group when all its parts are there.
            groups = groups.keyBy(group -> group).reduce((a, b) -> a)
                .map(new Merge(program, plan, directory, level, parts)).returns(Types.LONG);
        }
        groups.sinkTo(new DiscardingSink<>());
        JobClient job = flink.executeAsync("logscan");
        while (!job.getJobStatus().get().isGloballyTerminalState()) {
            Thread.sleep(POLL_MILLISECONDS);
        }
        job.getJobExecutionResult().get(); // throws what the job failed with

        List<String> command = new ArrayList<>(List.of(program, "reduce", plan, "-o", options.getOrDefault("out", "logscan-out")));
        command.addAll(Arrays.asList(args).subList(Math.min(i + 1, args.length), args.length));
        for (long part = 0; part < parts; part++) {
            command.add(name(directory, level, part));
        }
        System.exit(new ProcessBuilder(command).inheritIO().start().waitFor());
    }

    private static long groups(long parts) {
        return (parts + GROUP - 1) / GROUP;
    }

    /** Returns the name of a part: of a task at level 0, merged ones above. */
    private static String name(String directory, int level, long number) {
        return String.format("%s%s/part-%06d", directory, level == 0 ? "" : "-" + level, number);
    }

    /** Does a task of the plan (level 0), or merges a group of the parts below, and returns the group of the new part. */
    private static final class Merge implements MapFunction<Long, Long> {
        private static final long serialVersionUID = 1;
        private final String program, plan, directory;
        private final int level;
        private final long below;

        /** below is how many parts are below the level. */
        Merge(String program, String plan, String directory, int level, long below) {
            this.program = program;
            this.plan = plan;
            this.directory = directory;
            this.level = level;
            this.below = below;
        }

        @Override
        public Long map(Long number) throws Exception {
            String part = name(directory, level, number);
            if (!part.contains("://")) {
                Files.createDirectories(Path.of(part).getParent());
            }
            List<String> command = new ArrayList<>(List.of(program));
            if (level == 0) {
                command.addAll(List.of("map", plan, "--task", number.toString()));
            } else {
                command.addAll(List.of("reduce", plan, "--partial"));
            }
            command.addAll(List.of("-o", part, "--workers", "1"));
            for (long i = number * GROUP; level > 0 && i < Math.min(below, (number + 1) * GROUP); i++) {
                command.add(name(directory, level - 1, i));
            }
            run(command);
            return number / GROUP;
        }
    }

    /** Runs logscan. Its messages are in the exception if it fails. */
    private static void run(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        try {
            String messages = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int code = process.waitFor();
            if (code != 0) {
                throw new IOException(String.join(" ", command) + ": exit code " + code + "\n" + messages.substring(Math.max(0, messages.length() - MESSAGES)));
            }
        } finally {
            process.destroyForcibly(); // if the task was cancelled
        }
    }
}
