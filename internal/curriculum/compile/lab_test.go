package compile_test

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/banyan-lms/banyan/content/schema"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/coursetest"
	"github.com/banyan-lms/banyan/internal/curriculum/labdef"
)

// also does several things to the golden course.
func also(edits ...edit) edit {
	return func(t *testing.T, m fstest.MapFS) {
		t.Helper()
		for _, e := range edits {
			e(t, m)
		}
	}
}

func TestLabFaults(t *testing.T) {
	const (
		lab    = "labs/echo/lab.yaml"
		season = "labs/echo/hidden/test.csv"
		head   = "word,size,truth,village\n"
	)
	// check is one more check at the end of the golden lab, from line 60 on.
	check := func(body string) edit {
		return change(lab, "hidden: [hidden/test.csv", "  - id: more\n    title: More\n"+body+"hidden: [hidden/test.csv")
	}
	measured := "    visible: false\n    call: f(rows)\n    data: {name: rows, file: hidden/test.csv}\n"
	tests := []struct {
		name string
		edit edit
		want string // "file:line key", several with a comma and a space
	}{
		{"the lab as it is", check("    output: true\n    equals: a\n"), ""},
		{"two observations", check("    call: x\n    output: true\n    equals: a\n"), "labs/echo/lab.yaml:64 lab.check_observations"},
		{"no observation", check("    equals: a\n"), "labs/echo/lab.yaml:61 lab.call_missing"},
		{"two judgements", check("    call: x\n    equals: a\n    raises: ValueError\n"), "labs/echo/lab.yaml:61 lab.check_kinds"},
		{"output is true or not there", check("    output: false\n    equals: a\n"), "labs/echo/lab.yaml:63 course.not_one_of"},
		{"near of output", check("    output: true\n    near: {value: 1, tolerance: 0}\n"), "labs/echo/lab.yaml:64 lab.needs_call"},
		{"set of a file", check("    file: a.txt\n    set: [a]\n"), "labs/echo/lab.yaml:64 lab.needs_call"},
		{"a number of output", check("    output: true\n    equals: 3\n"), "labs/echo/lab.yaml:64 lab.want_not_text"},
		{"near a word", check("    call: x\n    near: {value: {a: [1, b]}, tolerance: 0}\n"), "labs/echo/lab.yaml:64 lab.near_not_numbers"},
		{"near lists", check("    call: x\n    near: {value: {a: [1, 2]}, tolerance: 0}\n"), ""},
		{"stdout and output", check("    output: true\n    stdout: a\n"), "labs/echo/lab.yaml:63 lab.call_unwanted"},
		{"bad expression", check("    file: a.txt\n    matches: \"(?<a\"\n"), "labs/echo/lab.yaml:64 lab.bad_regexp"},
		{"unknown exception", check("    call: x\n    raises: ValueErorr\n"), "labs/echo/lab.yaml:64 lab.unknown_exception"},
		{"a file that is given", check("    file: words.csv\n    equals: a\n"), "labs/echo/lab.yaml:63 lab.file_is_given"},
		{"the entry as a file", check("    file: main.py\n    equals: a\n"), "labs/echo/lab.yaml:63 lab.file_is_given"},
		{"a hidden file as a file", check("    file: hidden/test.csv\n    equals: a\n"), "labs/echo/lab.yaml:63 lab.bad_file_name"},
		{"no weight", check("    output: true\n    equals: a\n    points: 0\n"), "labs/echo/lab.yaml:65 course.number_not_above"},

		{"data without a call", check("    output: true\n    data: {name: rows, file: words.csv}\n    equals: a\n"), "labs/echo/lab.yaml:64 lab.data_unwanted"},
		{"data that is not listed", check("    call: f(rows)\n    data: {name: rows, file: more.csv}\n    equals: a\n"), "labs/echo/lab.yaml:64 lab.data_unlisted"},
		{"data of another column", check("    call: f(rows)\n    data: {name: rows, file: words.csv, columns: [word, colour]}\n    equals: a\n"), "labs/echo/lab.yaml:64 lab.no_column"},
		{"a visible check of a hidden file", check("    call: f(rows)\n    data: {name: rows, file: hidden/test.csv}\n    equals: a\n"), "labs/echo/lab.yaml:64 lab.visible_hidden"},
		{"the label is given", check(measured + "    metric: {name: accuracy, label: size, at_least: 0}\n"), ""},
		{"the label is named", check("    visible: false\n    call: f(rows)\n    data: {name: rows, file: hidden/test.csv, columns: [word, truth]}\n    metric: {name: accuracy, label: truth, at_least: 0}\n"), "labs/echo/lab.yaml:65 lab.label_given"},
		{"the group is named", check("    visible: false\n    call: f(rows)\n    data: {name: rows, file: hidden/test.csv, columns: [village]}\n    equals: a\n"), "labs/echo/lab.yaml:65 lab.label_given"},
		{"a hidden metric of an open file", check("    visible: false\n    call: f(rows)\n    data: {name: rows, file: words.csv}\n    metric: {name: accuracy, label: count, at_least: 0}\n"), "labs/echo/lab.yaml:65 lab.label_given"},
		{"a visible metric of an open file", check("    call: f(rows)\n    data: {name: rows, file: words.csv}\n    metric: {name: accuracy, label: count, at_least: 0}\n"), ""},
		{"rows of a text file", also(check("    call: f(rows)\n    data: {name: rows, file: more.txt}\n    equals: a\n"), change(lab, "- words.csv", "- words.csv\n  - more.txt"), put("labs/echo/more.txt", "a\n1\n")), "labs/echo/lab.yaml:65 lab.not_csv"},
		{"a name that is none", check("    call: f(rows)\n    data: {name: my rows, file: words.csv}\n    equals: a\n"), "labs/echo/lab.yaml:64 lab.bad_data_name"},

		{"metric without data", check("    visible: false\n    call: f()\n    metric: {name: accuracy, label: truth, at_least: 0}\n"), "labs/echo/lab.yaml:65 lab.metric_needs_data"},
		{"metric without a label", check(measured + "    metric: {name: accuracy, at_least: 0}\n"), "labs/echo/lab.yaml:66 course.missing_key"},
		{"metric of another column", check(measured + "    metric: {name: accuracy, label: colour, at_least: 0}\n"), "labs/echo/lab.yaml:66 lab.no_column"},
		{"metric without a bound", check(measured + "    metric: {name: accuracy, label: truth}\n"), "labs/echo/lab.yaml:66 lab.metric_bound"},
		{"metric with two bounds", check(measured + "    metric: {name: accuracy, label: truth, at_least: 0, at_most: 1}\n"), "labs/echo/lab.yaml:66 lab.metric_bound"},
		{"metric above one", check(measured + "    metric: {name: accuracy, label: truth, at_least: 80}\n"), "labs/echo/lab.yaml:66 course.number_too_large"},
		{"gap without a group", check(measured + "    metric: {name: group_gap, label: truth, at_most: 0}\n"), "labs/echo/lab.yaml:66 lab.metric_group"},
		{"accuracy with a group", check(measured + "    metric: {name: accuracy, label: truth, group: village, at_most: 0}\n"), "labs/echo/lab.yaml:66 lab.metric_group"},
		{"one group", put(season, head+"fig,1,a,hill\ndate,2,b,hill\n"), "labs/echo/lab.yaml:49 lab.one_group"},
		{"an empty label", put(season, head+"fig,1,a,hill\n\ndate,2,,river\n"), "labs/echo/hidden/test.csv:4 lab.empty_cell"},
		{"an empty group", put(season, head+"fig,1,a,hill\ndate,2,b,\n"), "labs/echo/hidden/test.csv:3 lab.empty_cell"},

		{"a table without rows", put(season, head), "labs/echo/hidden/test.csv:1 lab.csv_empty"},
		{"a cell too many", put(season, head+"fig,1,a,hill\ndate,2,b,river,3\n"), "labs/echo/hidden/test.csv:3 lab.csv_fields"},
		{"a stray quotation mark", put(season, head+"fig,1,a,hill\nda\"te,2,b,river\n"), "labs/echo/hidden/test.csv:3 lab.csv_quote"},
		{"a column twice", put(season, "word,size,word,truth\nfig,1,a,hill\n"), "labs/echo/hidden/test.csv:1 lab.csv_header"},
		{"a column without a name", put(season, "word,,truth,village\nfig,1,a,hill\n"), "labs/echo/hidden/test.csv:1 lab.csv_header"},
		{"too many rows", put(season, head+strings.Repeat("fig,1,a,hill\n", 2001)), "labs/echo/hidden/test.csv:2002 lab.csv_large"},
		{"too large a table", put(season, head+"fig,1,a,"+strings.Repeat("x", 256<<10)+"\n"), "labs/echo/hidden/test.csv:1 lab.csv_large"},

		{"a judge that is not listed", check("    call: x\n    judge: judges/other.py\n"), "labs/echo/lab.yaml:64 lab.judge_unlisted"},
		{"a judge elsewhere", check("    call: x\n    judge: hidden/other.py\n"), "labs/echo/lab.yaml:64 lab.bad_judge_name, labs/echo/lab.yaml:64 lab.judge_unlisted"},
		{"a judge that nobody asks", also(change(lab, "judges/shape.py]", "judges/shape.py, judges/more.py]"), put("labs/echo/judges/more.py", "x")), "labs/echo/lab.yaml:61 lab.judge_unused"},
		{"says without a judge", check("    call: x\n    equals: a\n    says: {short: Short.}\n"), "labs/echo/lab.yaml:65 lab.says_unwanted"},
		{"a key that is none", change(lab, "says: {short:", "says: {Too short:"), "labs/echo/lab.yaml:55 lab.bad_says_key"},
		{"a hidden file not listed", put("labs/echo/hidden/more.csv", "x"), "labs/echo/hidden/more.csv:1 lab.unlisted_hidden"},
		{"a judge not listed", put("labs/echo/judges/more.py", "x"), "labs/echo/judges/more.py:1 lab.unlisted_hidden"},
		{"a hidden file not there", change(lab, "judges/shape.py]", "judges/shape.py, hidden/more.csv]"), "labs/echo/lab.yaml:61 course.missing_file"},
		{"a hidden file in the open", change(lab, "judges/shape.py]", "judges/shape.py, words.csv]"), "labs/echo/lab.yaml:61 lab.bad_hidden_name"},
		{"a folder in hidden", put("labs/echo/hidden/deep/more.csv", "x"), "labs/echo/hidden/deep:1 course.unlisted_folder"},
		{"banyan.py as data", put("labs/echo/banyan.py", "x"), "labs/echo/banyan.py:1 lab.unlisted_file"},
		{"banyan.py as the entry", change(lab, "entry: main.py", "entry: banyan.py"), "labs/echo/lab.yaml:3 lab.reserved_file"},

		{"an unknown check", change(lab, "[none, hidden, guesses]", "[none, hiden]"), "labs/echo/lab.yaml:67 lab.unknown_check"},
		{"a mistake that is not there", change(lab, "file: always-a.py", "file: always-b.py"), "labs/echo/lab.yaml:67 course.missing_file, labs/echo/wrong/always-a.py:1 lab.unlisted_wrong"},
		{"a mistake not listed", put("labs/echo/wrong/more.py", "x = 1\n"), "labs/echo/wrong/more.py:1 lab.unlisted_wrong"},
		{"a mistake twice", change(lab, "wrong:\n", "wrong:\n  - {file: always-a.py, outcome: learner_error}\n"), "labs/echo/lab.yaml:68 lab.wrong_twice"},
		{"a mistake without a claim", change(lab, ", fails: [none, hidden, guesses]", ""), "labs/echo/lab.yaml:67 lab.wrong_claim"},
		{"a mistake with two claims", change(lab, "guesses]}", "guesses], outcome: learner_error}"), "labs/echo/lab.yaml:67 lab.wrong_claim"},
		{"a message without an outcome", change(lab, "guesses]}", "guesses], message: timeout}"), "labs/echo/lab.yaml:67 lab.wrong_claim"},
		{"an outcome that is none", change(lab, "fails: [none, hidden, guesses]", "outcome: failed"), "labs/echo/lab.yaml:67 course.not_one_of"},

		{"memory below what Python needs", change(lab, "wall_seconds: 5", "memory_mib: 47"), "labs/echo/lab.yaml:5 course.number_too_small"},
		{"memory above the ceiling", change(lab, "wall_seconds: 5", "memory_mib: 129"), "labs/echo/lab.yaml:5 course.number_too_large"},
		{"files above the ceiling", change(lab, "wall_seconds: 5", "files: 65"), "labs/echo/lab.yaml:5 course.number_too_large"},
		{"source above the ceiling", change(lab, "wall_seconds: 5", "source_kib: 257"), "labs/echo/lab.yaml:5 course.number_too_large"},
		{"a broken seed", change(lab, "seed: 7", "seed: 7.5"), "labs/echo/lab.yaml:64 course.not_whole"},
		{"no such day", change(lab, "2026-03-01T06", "2026-02-30T06"), "labs/echo/lab.yaml:65 lab.bad_clock"},
		{"a clock without a zone", change(lab, "06:00:00Z", "06:00:00"), "labs/echo/lab.yaml:65 lab.bad_clock"},
		{"a competence that is none", change(lab, "[cfs.ai-techniques.apply]", `["two words"]`), "labs/echo/lab.yaml:63 lab.bad_competence"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := coursetest.Copy(t)
			tt.edit(t, m)
			got := strings.Join(faultsOf(t, m), ", ")
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// A lab written today is read as it was written: reading it twice changes nothing, and its digest is of its content.
func TestLabRoundTrip(t *testing.T) {
	c := compiled(t, coursetest.Golden())
	var vault, again curriculum.VaultFile
	if err := json.Unmarshal(c.Vault, &vault); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(vault)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &again); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(vault.Labs, again.Labs) {
		t.Errorf("%+v\n%+v", vault.Labs, again.Labs)
	}
	l := vault.Labs["echo"]
	i := slices.IndexFunc(l.Checks, func(c labdef.Check) bool { return c.ID == "guesses" })
	if rows := l.Checks[i].Rule.Data.Rows; !reflect.DeepEqual(rows, []map[string]any{{"word": "fig", "size": 1.5}, {"word": "a, b", "size": "007"}}) {
		t.Errorf("%v", rows)
	}
	first, err := l.Digest()
	if err != nil {
		t.Fatal(err)
	}
	l.Checks = slices.Clone(l.Checks)
	l.Checks[i].Rule.Metric.Labels[0] = "another"
	if second, err := l.Digest(); err != nil || second == first {
		t.Error("another label gives the same digest", err)
	}

	var p labdef.Public
	if err := json.Unmarshal(c.Blobs[item(t, c, "echo").Data["en"]], &p); err != nil {
		t.Fatal(err)
	}
	if p.Points != 10 || p.Seed != 7 || p.Clock.Format("2006-01-02T15") != "2026-03-01T06" || p.Limits.WallSeconds != 5 || !slices.Equal(p.Competences, []string{"cfs.ai-techniques.apply"}) {
		t.Errorf("%+v", p)
	}
	for _, pc := range p.Checks {
		if (pc.Rule != nil) != pc.Visible {
			t.Errorf("%s: visible %t, rule %+v", pc.ID, pc.Visible, pc.Rule)
		}
	}
}

// The example of docs/lab-format.md fits the schema, and names each key that a lab may have.
func TestExampleOfTheDocs(t *testing.T) {
	data, err := os.ReadFile("../../../docs/lab-format.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(data)
	_, example, _ := strings.Cut(doc, "```yaml\n")
	example, _, ok := strings.Cut(example, "```")
	if !ok {
		t.Fatal("no example")
	}
	m := coursetest.Copy(t)
	put("labs/echo/lab.yaml", example)(t, m)
	for _, f := range faultsOf(t, m) { // the golden folder lacks its files, but the keys and their values are right
		for _, key := range []string{"unknown_key", "missing_key", "not_", "bad_", "lab.check", "lab.metric", "lab.wrong_claim", "lab.unknown_"} {
			if strings.Contains(f, key) {
				t.Error(f)
			}
		}
	}
	raw, err := schema.Files.ReadFile("lab.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	type object struct {
		Properties map[string]object `json:"properties"`
		Items      *object           `json:"items"`
	}
	var root object
	if err := json.Unmarshal(raw, &root); err != nil {
		t.Fatal(err)
	}
	var walk func(o object)
	walk = func(o object) {
		for key, inner := range o.Properties {
			if !strings.Contains(doc, key) {
				t.Errorf("docs/lab-format.md does not tell of %s", key)
			}
			walk(inner)
		}
		if o.Items != nil {
			walk(*o.Items)
		}
	}
	walk(root)
}
