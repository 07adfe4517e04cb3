"""Scans logs on a Spark cluster: does the tasks of a plan with logscan map, and merges the parts.

    tasks=$(logscan plan -o s3://work/job-1/plan.json s3://logs/web/)
    spark-submit --master spark://HOST:7077 --files logscan logscan_spark.py s3://work/job-1/plan.json \\
        --tasks $tasks --out report -- --fail-on high

The program logscan is the one shipped with --files, or is found on the PATH of all machines. Plan
and parts are paths or s3:// URLs, the same on all machines. Flags after -- go to the last logscan
reduce, on the driver, whose exit code is that of spark-submit (in client mode).

Only commands pass through Spark. A task that is retried, or done twice at the same time,
writes the same part again. See docs/howto-scale.md.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys

from py4j.java_gateway import GatewayParameters, JavaGateway

# How many parts a task merges: as many as logscan reduce reads at a time. Fewer are not worth
# it: all that they hold is written once more, and the last reduce has to read it anyway.
GROUP = 512

# The encoding in which bytes and characters are the same, whatever the locale of an executor is.
BYTES = "ISO-8859-1"

# The size of the buffer of a command, in bytes.
BUFFER = 8192


class Cluster:
    """Runs logscan on a cluster, with Spark's interface for Java.

    Neither the driver nor executors import pyspark: that takes two seconds of CPU time."""

    def __init__(self):
        parameters = GatewayParameters(
            port=int(os.environ["PYSPARK_GATEWAY_PORT"]), auth_token=os.environ["PYSPARK_GATEWAY_SECRET"], auto_convert=True
        )
        spark = JavaGateway(gateway_parameters=parameters).jvm.org.apache.spark  # spark-submit has started it
        conf = spark.SparkConf().setAppName("logscan")
        self.context = spark.api.java.JavaSparkContext.fromSparkContext(spark.SparkContext.getOrCreate(conf))
        self.cpus = self.context.getConf().get("spark.task.cpus", "1")
        self.files = spark.SparkFiles.getRootDirectory()

    def program(self):
        """Returns the path of logscan on the driver, if it was shipped with --files, or its name."""
        shipped = os.path.join(self.files, "logscan")
        return shipped if os.path.exists(shipped) else "logscan"

    def run(self, commands):
        """Runs logscan with the arguments of each command, each in a task of Spark.

        A shell reads the command. Messages go to the log of the executor. A failure fails the task."""
        directory = self.files if self.context.isLocal() else "."  # where executors find what was shipped
        lines = [f"PATH={directory}:$PATH; exec logscan {shlex.join(c)} --workers {self.cpus} </dev/null" for c in commands]
        tasks = self.context.parallelize([os.fsencode(line).decode(BYTES) for line in lines], len(lines))
        tasks.pipe(["sh"], {}, False, BUFFER, BYTES).count()


def scan(cluster, options):
    """Does all tasks, merges their parts if they are many, and returns the names of the parts."""
    flags = ["--memory", options.memory] if options.memory else []
    if options.pseudonymize:
        flags += ["--pseudonymize", options.pseudonymize]
    parts = [name(options.parts, n) for n in range(options.tasks)]
    cluster.run([["map", options.plan, "--task", str(n), "-o", part, *flags] for n, part in enumerate(parts)])
    level = 0
    while len(parts) > GROUP:
        level += 1
        groups = [parts[i : i + GROUP] for i in range(0, len(parts), GROUP)]
        parts = [name(f"{options.parts}-{level}", n) for n in range(len(groups))]
        cluster.run([["reduce", options.plan, "--partial", "-o", part, *group] for part, group in zip(parts, groups)])
    return parts


def name(directory, number):
    """Returns the name of a part, and makes its directory."""
    if "://" not in directory:
        os.makedirs(directory, mode=0o700, exist_ok=True)
    return f"{directory}/part-{number:06d}"


def count_tasks(plan):
    """Returns the number of tasks of a plan in a file."""
    with open(plan, encoding="utf-8") as file:
        return len(json.load(file)["tasks"])


def absolute(path):
    """Returns a path that does not depend on the working directory, or a URL as it is."""
    return path if "://" in path else os.path.abspath(path)


def main():
    parser = argparse.ArgumentParser(
        usage="spark-submit [SPARK FLAGS] logscan_spark.py PLAN [--tasks N] [--parts DIR] [--out DIR] [-- REDUCE FLAGS]",
        description="Scan logs on a Spark cluster.",
    )
    parser.add_argument("plan", type=absolute, help="plan of logscan plan: a path or an s3:// URL")
    parser.add_argument("--tasks", type=int, metavar="N", help="the number that logscan plan has printed, if the plan is not a file")
    parser.add_argument("--parts", type=absolute, metavar="DIR", help="directory or s3:// prefix for parts (default: parts, beside the plan)")
    parser.add_argument("--out", default="logscan-out", metavar="DIR", help="output directory on the driver (default: logscan-out)")
    parser.add_argument("--memory", metavar="SIZE", help="--memory of each logscan map")
    parser.add_argument("--pseudonymize", type=absolute, metavar="KEYFILE", help="key of pseudonyms, if the plan was made with one: a path on all machines")
    arguments, flags = sys.argv[1:], []
    if "--" in arguments:
        end = arguments.index("--")
        arguments, flags = arguments[:end], arguments[end + 1 :]
    options = parser.parse_args(arguments)
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        parser.error("start this program with spark-submit")
    if options.tasks is None:
        if "://" in options.plan:
            parser.error("a plan that is not a file needs --tasks")
        options.tasks = count_tasks(options.plan)
    options.parts = (options.parts or os.path.dirname(options.plan) + "/parts").rstrip("/")
    cluster = Cluster()
    try:
        parts = scan(cluster, options)
        reduce = subprocess.Popen([cluster.program(), "reduce", options.plan, "-o", options.out, *flags, *parts])
        cluster.context.stop()  # meanwhile: the executors are not needed any more
        return reduce.wait()
    finally:
        cluster.context.stop()


if __name__ == "__main__":
    sys.exit(main())
