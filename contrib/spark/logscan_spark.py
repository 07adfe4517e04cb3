"""Scans logs on a Spark cluster: does the tasks of a plan with logscan map, and merges the parts.

    tasks=$(logscan plan -o s3://work/job-1/plan.json s3://logs/web/)
    spark-submit --master spark://HOST:7077 --files logscan logscan_spark.py s3://work/job-1/plan.json \\
        --tasks $tasks --out report -- --fail-on high

The program logscan is the one shipped with --files, or is found on the PATH of all machines. Plan
and parts are paths or s3:// URLs, the same on all machines. Flags after -- go to the last logscan
reduce, on the driver, whose exit code is that of spark-submit (in client mode).

Only the names of parts pass through Spark. A task that is retried, or done twice at the same time,
writes the same part again. See docs/howto-scale.md.
"""

import argparse
import json
import os
import subprocess
import sys

from pyspark import SparkConf, SparkContext, SparkFiles, TaskContext

# How many parts a task merges: as many as logscan reduce reads at a time. Fewer are not worth
# it: all that they hold is written once more, and the last reduce has to read it anyway.
GROUP = 512

# How much of the messages of a failed program an exception repeats, in characters.
MESSAGES = 4000


def program():
    """Returns the path of logscan, if it was shipped with --files, or its name."""
    shipped = SparkFiles.get("logscan")
    return shipped if os.path.exists(shipped) else "logscan"


def run(*arguments):
    """Runs logscan. Its messages go to the log of the executor, or into the exception if it fails."""
    done = subprocess.run([program(), *arguments], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    messages = done.stderr.decode(errors="replace")
    if done.returncode != 0:
        raise RuntimeError(f"logscan {' '.join(arguments)}: exit code {done.returncode}\n{messages[-MESSAGES:]}")
    sys.stderr.write(messages)


def map_task(task, plan, part, flags):
    """Does a task of the plan and returns the name of its part."""
    run("map", plan, "--task", str(task), "-o", part, "--workers", str(TaskContext.get().cpus()), *flags)
    return part


def combine(parts, plan, part):
    """Merges parts into one and returns its name."""
    run("reduce", plan, "--partial", "-o", part, "--workers", str(TaskContext.get().cpus()), *parts)
    return part


def everywhere(context, function, arguments):
    """Calls a function with each of the arguments, each in a Spark task, and returns the results.

    They are collected by the driver, so an executor that is lost takes no finished work with it."""
    return context.parallelize(arguments, len(arguments)).map(lambda a: function(*a)).collect()


def scan(context, options):
    """Does all tasks, merges their parts if they are many, and returns the names of the parts."""
    mapping = ["--memory", options.memory] if options.memory else []
    if options.pseudonymize:
        mapping += ["--pseudonymize", options.pseudonymize]
    parts = everywhere(context, map_task, [(n, options.plan, name(options.parts, n), mapping) for n in range(options.tasks)])
    level = 0
    while len(parts) > GROUP:
        level += 1
        groups = [parts[i : i + GROUP] for i in range(0, len(parts), GROUP)]
        merged = f"{options.parts}-{level}"
        parts = everywhere(context, combine, [(g, options.plan, name(merged, i)) for i, g in enumerate(groups)])
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
    if options.tasks is None:
        if "://" in options.plan:
            parser.error("a plan that is not a file needs --tasks")
        options.tasks = count_tasks(options.plan)
    options.parts = (options.parts or os.path.dirname(options.plan) + "/parts").rstrip("/")
    context = SparkContext.getOrCreate(SparkConf().setAppName("logscan"))
    try:
        parts = scan(context, options)
        reduce = subprocess.Popen([program(), "reduce", options.plan, "-o", options.out, *flags, *parts])
        context.stop()  # meanwhile: the executors are not needed any more
        return reduce.wait()
    finally:
        context.stop()


if __name__ == "__main__":
    sys.exit(main())
