// Command bench measures the program side by side with the least that could do the same.
//
//	go run ./bench [-program bin/banyan-api] [name ...]
//
// It prints a table, writes bench/out/latest.json and asserts nothing: it fails
// only when it could not measure. docs/benchmarks.md says how to read the figures.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/banyan-lms/banyan/internal/lab/sandbox"
)

// limit is how long all measurements may take together.
const limit = 12 * time.Minute

// Figure is one line of the result.
type Figure struct {
	Name     string   `json:"name"`
	Value    float64  `json:"value"`
	Unit     string   `json:"unit"`
	Baseline *float64 `json:"baseline"` // the same, of the bare program
	Ratio    *float64 `json:"ratio"`    // median over the rounds of value/baseline
	Goal     *float64 `json:"goal"`
	Met      *bool    `json:"met"`
	GoalOf   string   `json:"goal_of,omitempty"` // what the goal bounds, and from which side
	Best     *float64 `json:"best,omitempty"`
	// Processor time of the server process alone, for one request.
	CPU         *float64 `json:"cpu_us,omitempty"`
	CPUBaseline *float64 `json:"cpu_us_baseline,omitempty"`
	CPURatio    *float64 `json:"cpu_ratio,omitempty"` // baseline/ours: 1 is as frugal
	// The same of the processes that Postgres has for this server.
	DB         *float64 `json:"db_cpu_us,omitempty"`
	DBBaseline *float64 `json:"db_cpu_us_baseline,omitempty"`
	How        string   `json:"how"`
}

// measurements in the order of the table. Each may give several figures.
var measurements = []struct {
	name string
	run  func(ctx context.Context, b *bench) ([]Figure, error)
}{
	{"lesson", lesson},
	{"catalogue", catalogue},
	{"progress", progress},
	{"statements", statements},
	{"sync", syncs},
	{"memory", memory},
	{"start", start},
	{"verdict", verdict},
	{"python", python},
	{"sign-in", signIn},
	{"credential", credentials},
	{"issue", issues},
	{"paper", papers},
	{"course", courses},
	{"translations", translations},
	{"bundle", bundles},
	{"bundle-pack", packs},
	{"import", imports},
	{"verify-page", verifyPage},
	{"first-lesson", firstLesson},
	{"shell", shells},
}

func main() {
	sandbox.RunChildIfAsked()
	if run := roles[roleOf(os.Args)]; run != nil {
		if err := run(); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	program := flag.String("program", filepath.Join("bin", "banyan-api"), "the built program")
	runtimeDir := flag.String("runtime", filepath.Join("build", "runtime"), "the prepared Python runtime")
	out := flag.String("out", filepath.Join("bench", "out", "latest.json"), "where the figures go")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, limit)
	err := run(ctx, *program, *runtimeDir, *out, flag.Args())
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, program, runtimeDir, out string, names []string) (err error) {
	for _, name := range names {
		if !known(name) {
			return fmt.Errorf("%q is none of %s", name, allNames())
		}
	}
	b, err := open(program, runtimeDir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	var figures []Figure
	var failed error
	for _, m := range measurements {
		if len(names) > 0 && !slices.Contains(names, m.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "measuring %s ...\n", m.name)
		fs, err := m.run(ctx, b)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("measure %s: %w", m.name, err))
			continue
		}
		figures = append(figures, fs...)
	}
	if err := keep(out, figures); err != nil {
		return err
	}
	show(figures)
	return failed
}

func known(name string) bool {
	for _, m := range measurements {
		if m.name == name {
			return true
		}
	}
	return false
}

func allNames() string {
	names := make([]string, len(measurements))
	for i, m := range measurements {
		names[i] = m.name
	}
	return strings.Join(names, ", ")
}

func keep(path string, figures []Figure) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(figures, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(raw, '\n'), 0o644)
}

func show(figures []Figure) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "name\tvalue\tbaseline\tunit\tratio\tgoal\tmet\tµs CPU\tbaseline\tµs DB\tbaseline\t")
	for _, f := range figures {
		met := ""
		if f.Met != nil {
			met = map[bool]string{true: "yes", false: "NO"}[*f.Met]
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", f.Name, number(&f.Value), number(f.Baseline), f.Unit,
			number(f.Ratio), number(f.Goal), met, number(f.CPU), number(f.CPUBaseline), number(f.DB), number(f.DBBaseline))
	}
	_ = w.Flush()
}

func number(f *float64) string {
	switch {
	case f == nil:
		return ""
	case *f >= 1000:
		return fmt.Sprintf("%.0f", *f)
	case *f >= 20:
		return fmt.Sprintf("%.1f", *f)
	}
	return fmt.Sprintf("%.2f", *f)
}
