package labdef

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
	ID       string                       `json:"id"`
	Visible  bool                         `json:"visible"`
	Points   float64                      `json:"points"` // weight in the lab's score
	Title    map[string]string            `json:"title"`
	Feedback map[string]string            `json:"feedback,omitempty"`
	Rule     Rule                         `json:"rule"`
	Says     map[string]map[string]string `json:"says,omitempty"` // what a judge script may say, by key
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
