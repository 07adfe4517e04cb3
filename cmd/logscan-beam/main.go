// Command logscan-beam scans logs with a runner of Apache Beam: it does the tasks of a plan
// with logscan map, and merges their parts.
//
//	tasks=$(logscan plan -o s3://work/job-1/plan.json s3://logs/web/)
//	logscan-beam --plan s3://work/job-1/plan.json --tasks $tasks --out report \
//		--runner flink --endpoint localhost:8099 --environment_type EXTERNAL --environment_config localhost:50000 -- --fail-on high
//
// The program logscan is found on the PATH of all machines, or is what --logscan names there. Plan
// and parts are paths or s3:// URLs, the same on all machines. Flags after -- go to the last logscan
// reduce, which runs here when the pipeline is done, and whose exit code is that of this program.
// Without --runner, Beam's local runner Prism is used.
//
// Only the numbers of parts pass through the runner: the pipeline has no side inputs, no state, and
// no large elements. A task that is retried, or done twice at the same time, writes the same part
// again. See docs/howto-scale.md.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/x/beamx"
)

func main() {
	var r run
	flag.StringVar(&r.Logscan, "logscan", "logscan", "`program` logscan on the machines of the runner, and here")
	flag.StringVar(&r.Plan, "plan", "", "`plan` of logscan plan: a path or an s3:// URL")
	tasks := flag.Int("tasks", -1, "the `number` that logscan plan has printed, if the plan is not a file")
	flag.StringVar(&r.Parts, "parts", "", "`directory` or s3:// prefix for parts (default: parts, beside the plan)")
	flag.StringVar(&r.Memory, "memory", "", "--memory of each logscan map: a `size`")
	flag.StringVar(&r.Workers, "workers", "1", "--workers of each logscan: a `number`")
	flag.StringVar(&r.Pseudonymize, "pseudonymize", "", "key of pseudonyms, if the plan was made with one: a `path` on all machines")
	out := flag.String("out", "logscan-out", "output `directory`, on this machine")
	flag.Parse()
	register.DoFn3x1[context.Context, int, func(int, int), error](&mapFn{})
	register.DoFn4x1[context.Context, int, func(*int) bool, func(int, int), error](&combineFn{})
	register.Emitter2[int, int]()
	register.Iter1[int]()
	beam.Init() // does not return on a worker

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := r.execute(ctx, *tasks, *out, flag.Args())
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		os.Exit(exit.ExitCode()) // logscan has said why
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "logscan-beam: error: %v\n", err)
		os.Exit(1)
	}
}

// group is how many parts are merged at a time: as many as logscan reduce reads at a time.
const group = 512

// run is what all steps of the pipeline need. Its fields are exported for Beam's encoding.
type run struct {
	Logscan, Plan, Parts, Memory, Workers, Pseudonymize string
}

// execute does all tasks and merges their parts.
func (r *run) execute(ctx context.Context, tasks int, out string, flags []string) error {
	if r.Plan == "" {
		return errors.New("--plan is missing")
	}
	if r.Parts == "" {
		r.Parts = r.Plan[:strings.LastIndexByte(r.Plan, '/')+1] + "parts"
	}
	for _, path := range []*string{&r.Plan, &r.Parts, &r.Pseudonymize} {
		if err := makeAbsolute(path); err != nil {
			return err
		}
	}
	if tasks < 0 {
		var err error
		if tasks, err = countTasks(r.Plan); err != nil {
			return err
		}
	}
	level, parts, err := r.merge(ctx, tasks)
	if err != nil {
		return err
	}
	args := append([]string{"reduce", r.Plan, "-o", out}, flags...)
	for i := range parts {
		args = append(args, r.part(level, i))
	}
	cmd := exec.CommandContext(ctx, r.Logscan, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

// merge does all tasks and merges their parts until few are left: it returns their level and
// how many there are.
func (r *run) merge(ctx context.Context, tasks int) (level, parts int, err error) {
	numbers := make([]int, tasks)
	for i := range numbers {
		numbers[i] = i
	}
	p, s := beam.NewPipelineWithRoot()
	if tasks > 0 {
		grouped := beam.ParDo(s, &mapFn{*r}, beam.Reshuffle(s, beam.CreateList(s, numbers)))
		for parts = tasks; parts > group; parts = (parts + group - 1) / group {
			level++
			grouped = beam.ParDo(s, &combineFn{*r, level}, beam.GroupByKey(s, grouped))
		}
		err = beamx.Run(ctx, p)
	}
	return level, parts, err
}

// countTasks returns the number of tasks of a plan in a file.
func countTasks(path string) (int, error) {
	if isURL(path) {
		return 0, errors.New("a plan that is not a file needs --tasks")
	}
	encoded, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	var plan struct{ Tasks []json.RawMessage }
	if err := json.Unmarshal(encoded, &plan); err != nil {
		return 0, fmt.Errorf("%s is no plan: %w", path, err)
	}
	return len(plan.Tasks), nil
}

// makeAbsolute makes a path independent of the working directory. URLs stay as they are.
func makeAbsolute(path *string) (err error) {
	if *path != "" && !isURL(*path) {
		*path, err = filepath.Abs(*path)
	}
	return err
}

func isURL(path string) bool { return strings.Contains(path, "://") }

// part returns the name of a part: of a task at level 0, merged ones above.
func (r *run) part(level, number int) string {
	dir := strings.TrimSuffix(r.Parts, "/")
	if level > 0 {
		dir = fmt.Sprintf("%s-%d", dir, level)
	}
	return fmt.Sprintf("%s/part-%06d", dir, number)
}

// messages is how many bytes of the messages of a failed program an error repeats.
const messages = 4000

// call runs logscan. Its messages go to the log of the worker, or into the error.
func (r *run) call(ctx context.Context, args ...string) error {
	if out := args[slices.Index(args, "-o")+1]; !isURL(out) {
		if err := os.MkdirAll(filepath.Dir(out), 0o700); err != nil {
			return err
		}
	}
	text, err := exec.CommandContext(ctx, r.Logscan, append(args, "--workers", r.Workers)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("logscan %s: %w\n%s", strings.Join(args, " "), err, text[max(0, len(text)-messages):])
	}
	_, _ = os.Stderr.Write(text) // nobody may listen
	return nil
}

// mapFn does tasks.
type mapFn struct{ Run run }

// ProcessElement does a task and emits the number of its part, with the group that it is
// merged with as the key.
func (f *mapFn) ProcessElement(ctx context.Context, task int, emit func(group, part int)) error {
	args := []string{"map", f.Run.Plan, "--task", strconv.Itoa(task), "-o", f.Run.part(0, task)}
	if f.Run.Memory != "" {
		args = append(args, "--memory", f.Run.Memory)
	}
	if f.Run.Pseudonymize != "" {
		args = append(args, "--pseudonymize", f.Run.Pseudonymize)
	}
	if err := f.Run.call(ctx, args...); err != nil {
		return err
	}
	emit(task/group, task)
	return nil
}

// combineFn merges parts into those of a level.
type combineFn struct {
	Run   run
	Level int
}

// ProcessElement merges a group of parts and emits the number of the merged one.
func (f *combineFn) ProcessElement(ctx context.Context, number int, parts func(*int) bool, emit func(group, part int)) error {
	var members []int
	for part := 0; parts(&part); {
		members = append(members, part)
	}
	slices.Sort(members)
	args := []string{"reduce", f.Run.Plan, "--partial", "-o", f.Run.part(f.Level, number)}
	for _, part := range members {
		args = append(args, f.Run.part(f.Level-1, part))
	}
	if err := f.Run.call(ctx, args...); err != nil {
		return err
	}
	emit(number/group, number)
	return nil
}
