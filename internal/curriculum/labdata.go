package curriculum

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/banyan-lms/banyan/internal/blob"
)

// PublicLab is what the page gets of a lab, in one language.
type PublicLab struct {
	ID          ContentID         `json:"id"`
	Title       string            `json:"title"`
	Entry       string            `json:"entry"`   // file the learner edits
	Starter     map[string]string `json:"starter"` // the entry's first content, by its name
	Files       map[string]string `json:"files"`   // data files by name
	Hints       []string          `json:"hints"`
	Points      float64           `json:"points"`
	Competences []string          `json:"competences"`
	Limits      Limits            `json:"limits"`
	Seed        uint64            `json:"seed"`  // of all randomness of a run; exact as a JSON number
	Clock       time.Time         `json:"clock"` // where the clock of a run starts
	Checks      []PublicCheck     `json:"checks"`
	// Langs are the languages of texts that are not in the lab's own, by what follows its id in
	// the ids of its texts: hint.1, check.<id>.title, check.<id>.feedback, check.<id>.says.<key>.
	Langs map[string]Locale `json:"langs,omitempty"`
}

// PublicCheck is what a learner may know of a check before handing in: of a
// hidden one its title and its weight, of a visible one everything.
type PublicCheck struct {
	ID       string      `json:"id"`
	Title    string      `json:"title"`
	Points   float64     `json:"points"`
	Visible  bool        `json:"visible"`
	Feedback string      `json:"feedback,omitempty"` // visible checks only
	Rule     *PublicRule `json:"rule,omitempty"`     // visible checks only; in versions of old with nothing but its call
}

// PublicRule is a rule with what its judge script may say in one language.
type PublicRule struct {
	Rule
	Says map[string]string `json:"says,omitempty"`
}

// VaultLab is a lab in full.
type VaultLab struct {
	Entry       string            `json:"entry"`
	Limits      Limits            `json:"limits"`
	Points      float64           `json:"points"`
	Competences []string          `json:"competences,omitempty"`
	Seed        uint64            `json:"seed"`
	Clock       time.Time         `json:"clock"`
	Files       map[string]string `json:"files"`            // data files by name: the first room gets them
	Hidden      map[string]string `json:"hidden,omitempty"` // by path, hidden/… and judges/…: the first room never gets them
	Checks      []Check           `json:"checks"`
	Langs       map[string]Langs  `json:"langs,omitempty"` // of the texts of checks, as PublicLab has them; versions of old do not tell it
	Starter     string            `json:"starter"`
	Solution    string            `json:"solution"`
	Wrong       []WrongSolution   `json:"wrong,omitempty"`
}

// WrongSolution is a mistake that the author expects, and how it must show:
// the checks that fail, or the outcome and its message. With neither it only must not pass.
type WrongSolution struct {
	File    string   `json:"file"`
	Source  string   `json:"source"`
	Fails   []string `json:"fails,omitempty"`   // exactly these checks
	Outcome string   `json:"outcome,omitempty"` // learner_error
	Message string   `json:"message,omitempty"` // syntax, error, exit, timeout, flood, memory, no_result
}

// Limits cage one run. A zero field takes its default.
type Limits struct {
	WallSeconds int `json:"wall_seconds"`
	MemoryMiB   int `json:"memory_mib"`
	OutputKiB   int `json:"output_kib"`
	Files       int `json:"files"`      // that the program may have made at a time
	FileKiB     int `json:"file_kib"`   // all that it wrote together
	SourceKiB   int `json:"source_kib"` // of what is handed in
}

// DefaultLimits cage a lab that names none.
var DefaultLimits = Limits{WallSeconds: 10, MemoryMiB: 128, OutputKiB: 64, Files: 16, FileKiB: 1024, SourceKiB: 64}

// OrDefault fills in what a lab does not name.
func (l Limits) OrDefault() Limits {
	fill := func(n *int, by int) {
		if *n <= 0 {
			*n = by
		}
	}
	fill(&l.WallSeconds, DefaultLimits.WallSeconds)
	fill(&l.MemoryMiB, DefaultLimits.MemoryMiB)
	fill(&l.OutputKiB, DefaultLimits.OutputKiB)
	fill(&l.Files, DefaultLimits.Files)
	fill(&l.FileKiB, DefaultLimits.FileKiB)
	fill(&l.SourceKiB, DefaultLimits.SourceKiB)
	return l
}

// DefaultSeed is the seed of a lab that names none.
const DefaultSeed uint64 = 20260101

// DefaultClock is when the run of a lab begins that does not say it.
var DefaultClock = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Observation is what of a run a check looks at.
type Observation string

// The observations.
const (
	ObserveCall   Observation = "call"   // the value of an expression, or what it raises
	ObserveOutput Observation = "output" // what the program printed while it loaded
	ObserveFile   Observation = "file"   // the text of a file that the program wrote
)

// CheckKind is how a check judges.
type CheckKind string

// The kinds of checks. All but Equals, Matches and Judged judge calls only.
const (
	Equals    CheckKind = "equals"    // Want is a JSON value; of output and files a text
	Near      CheckKind = "near"      // Want is a number, or lists and maps of numbers; Tolerance is absolute
	Set       CheckKind = "set"       // Want is a list: neither order nor repeats count
	Unordered CheckKind = "unordered" // Want is a list: the same members as often, in any order
	Matches   CheckKind = "matches"   // Want is a regular expression (RE2), found somewhere
	Raises    CheckKind = "raises"    // Want is the name of a builtin exception
	Measured  CheckKind = "metric"    // a figure of a list of predictions, see Metric
	Judged    CheckKind = "judge"     // a script of the author's, see Rule.Judge
)

// Rule is what a check looks at and how it judges that.
type Rule struct {
	Observe   Observation `json:"observe"`
	Call      string      `json:"call,omitempty"`
	File      string      `json:"file,omitempty"`
	Data      *Rows       `json:"data,omitempty"` // with a call: what it finds under a name
	Kind      CheckKind   `json:"kind"`
	Want      any         `json:"want"` // never sent into the first room
	Tolerance float64     `json:"tolerance,omitempty"`
	Reveal    bool        `json:"reveal"` // the learner is shown what was expected beside what came
	Metric    *Metric     `json:"metric,omitempty"`
	Judge     string      `json:"judge,omitempty"`      // source of a script that defines judge(seen, files)
	JudgeName string      `json:"judge_name,omitempty"` // its path
}

// Rows are the rows of a table, under the name by which a call finds them. A
// cell is a float64 or a string.
type Rows struct {
	Name string           `json:"name"`
	Rows []map[string]any `json:"rows"`
}

// Metric is a figure between 0 and 1 of predictions, one a row of the rule's
// data, and its bound: AtLeast or AtMost. Labels and groups never enter the first room.
type Metric struct {
	Name    MetricName `json:"name"`
	Labels  []any      `json:"labels"`           // what is true, one a row
	Groups  []any      `json:"groups,omitempty"` // GroupGap: to which group each row belongs
	AtLeast *float64   `json:"at_least,omitempty"`
	AtMost  *float64   `json:"at_most,omitempty"`
}

// MetricName names a figure.
type MetricName string

// The metrics.
const (
	Accuracy  MetricName = "accuracy"   // share of predictions that are right
	ErrorRate MetricName = "error_rate" // share that is wrong
	GroupGap  MetricName = "group_gap"  // accuracy of the best group less that of the worst
)

// Check is one judgement on what the learner's code did.
type Check struct {
	ID       string          `json:"id"`
	Visible  bool            `json:"visible"`
	Points   float64         `json:"points"` // weight in the lab's score
	Title    Text            `json:"title"`
	Feedback Text            `json:"feedback,omitempty"`
	Rule     Rule            `json:"rule"`
	Says     map[string]Text `json:"says,omitempty"` // what a judge script may say, by key
}

// Digest names a lab by its content: two labs with the same digest give the same verdicts.
func (l VaultLab) Digest() (blob.Digest, error) {
	data, err := Canonical(l)
	if err != nil {
		return "", err
	}
	return blob.Of(data), nil
}

// Published versions never change, so the forms of old are read as well. They knew a check of
// four kinds without weight, wrong solutions without a claim, and data files among the starter's.

// UnmarshalJSON reads a check in its form of today or of old.
func (c *Check) UnmarshalJSON(data []byte) error {
	type today Check
	var in struct {
		today
		Kind      CheckKind `json:"kind"`
		Call      string    `json:"call"`
		Want      any       `json:"want"`
		Tolerance float64   `json:"tolerance"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*c = Check(in.today)
	if in.Kind == "" {
		return nil
	}
	c.Points = 1
	c.Rule = Rule{Observe: ObserveCall, Call: in.Call, Kind: in.Kind, Want: in.Want, Tolerance: in.Tolerance, Reveal: c.Visible}
	if in.Kind == "stdout" {
		c.Rule.Observe, c.Rule.Kind = ObserveOutput, Matches
	}
	return nil
}

// UnmarshalJSON reads a lab in its form of today or of old.
func (l *VaultLab) UnmarshalJSON(data []byte) error {
	type today VaultLab
	var in struct {
		today
		Wrong json.RawMessage `json:"wrong"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*l = VaultLab(in.today)
	if l.Points == 0 {
		l.Points = 1
	}
	if l.Seed == 0 {
		l.Seed = DefaultSeed
	}
	if l.Clock.IsZero() {
		l.Clock = DefaultClock
	}
	l.Limits = l.Limits.OrDefault()
	if !bytes.HasPrefix(in.Wrong, []byte("{")) {
		if in.Wrong == nil {
			return nil
		}
		return json.Unmarshal(in.Wrong, &l.Wrong)
	}
	var old map[string]string
	if err := json.Unmarshal(in.Wrong, &old); err != nil {
		return fmt.Errorf("wrong solutions: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(old)) {
		l.Wrong = append(l.Wrong, WrongSolution{File: name, Source: old[name]})
	}
	return nil
}

// UnmarshalJSON reads a public lab in its form of today or of old.
func (p *PublicLab) UnmarshalJSON(data []byte) error {
	type today PublicLab
	if err := json.Unmarshal(data, (*today)(p)); err != nil {
		return err
	}
	if p.Files != nil {
		return nil
	}
	p.Points, p.Seed, p.Clock, p.Limits = 1, DefaultSeed, DefaultClock, DefaultLimits
	p.Files = map[string]string{}
	for name, text := range p.Starter {
		if name != p.Entry {
			p.Files[name] = text
			delete(p.Starter, name)
		}
	}
	return nil
}

// UnmarshalJSON reads a public check in its form of today or of old.
func (c *PublicCheck) UnmarshalJSON(data []byte) error {
	type today PublicCheck
	var in struct {
		today
		Call string `json:"call"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*c = PublicCheck(in.today)
	if c.Points == 0 {
		c.Points = 1
	}
	if in.Call != "" {
		c.Visible, c.Rule = true, &PublicRule{Rule: Rule{Observe: ObserveCall, Call: in.Call}}
	}
	return nil
}
