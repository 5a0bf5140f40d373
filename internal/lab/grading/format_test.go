package grading_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/content/schema"
	"github.com/banyan-lms/banyan/internal/curriculum/labdef"
	"github.com/banyan-lms/banyan/internal/lab/sandbox"
)

// The bounds of a lab's limits are the same in the document, in the schema and in the sandbox.
func TestLimitsAreDocumented(t *testing.T) {
	raw, err := schema.Files.ReadFile("lab.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var form struct {
		Properties struct {
			Limits struct {
				Properties map[string]struct{ Minimum, Maximum int }
			}
		}
	}
	if err := json.Unmarshal(raw, &form); err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../../../docs/lab-format.md")
	if err != nil {
		t.Fatal(err)
	}
	table := map[string][2]string{} // default and bounds
	for _, row := range regexp.MustCompile("(?m)^\\| `limits\\.([a-z_]+)` \\|[^|]*\\| ([^|]*) \\| ([^|]*) \\|$").FindAllStringSubmatch(string(doc), -1) {
		table[row[1]] = [2]string{row[2], row[3]}
	}
	d := labdef.DefaultLimits
	const notOfTheSandbox = -1
	limits := map[string]struct{ standard, ceiling int }{
		"wall_seconds": {d.WallSeconds, int(sandbox.MaxWall / time.Second)},
		"memory_mib":   {d.MemoryMiB, sandbox.MaxMemory >> 20},
		"output_kib":   {d.OutputKiB, sandbox.MaxOutput>>10 - 1024}, // beside it a lab's observations need room
		"files":        {d.Files, sandbox.MaxFiles},
		"file_kib":     {d.FileKiB, sandbox.MaxFileBytes >> 10},
		"source_kib":   {d.SourceKiB, notOfTheSandbox},
	}
	if len(form.Properties.Limits.Properties) != len(limits) || len(table) != len(limits) {
		t.Errorf("the schema has %d limits, the document %d, this test %d", len(form.Properties.Limits.Properties), len(table), len(limits))
	}
	for name, l := range limits {
		bounds := form.Properties.Limits.Properties[name]
		got, want := table[name], [2]string{fmt.Sprint(l.standard), fmt.Sprintf("%d to %d", bounds.Minimum, bounds.Maximum)}
		if got != want {
			t.Errorf("%s: the document says %q, the schema and the code %q", name, strings.Join(got[:], "; "), strings.Join(want[:], "; "))
		}
		if l.ceiling != notOfTheSandbox && bounds.Maximum != l.ceiling {
			t.Errorf("%s: the schema allows %d, the sandbox gives %d", name, bounds.Maximum, l.ceiling)
		}
	}
}
