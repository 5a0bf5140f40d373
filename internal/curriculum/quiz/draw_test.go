package quiz_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/curriculum/quiz"
)

var update = flag.Bool("update", false, "write testdata/draws.json anew")

// ids names n questions.
func ids(prefix string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("%s%d", prefix, i+1)
	}
	return out
}

func bank(size int, counts ...int) quiz.Plan {
	p := quiz.Plan{Banks: map[string][]string{"bank": ids("q", size)}}
	for _, n := range counts {
		p.Sections = append(p.Sections, quiz.Section{Draw: &quiz.Draw{Bank: "bank", Count: n}})
	}
	return p
}

func enrollment(n int) string { return fmt.Sprintf("0190a000-0000-7000-8000-%012d", n) }

func seed(n, attempt int) quiz.Seed {
	return quiz.Seed{Enrollment: enrollment(n), Quiz: "check", Attempt: attempt}
}

// vector is what page and server must agree on.
type vector struct {
	Seed     quiz.Seed     `json:"seed"`
	Plan     quiz.Plan     `json:"plan"`
	Shown    []string      `json:"shown"`
	Question string        `json:"question"`
	Options  []quiz.Option `json:"options"`
	Arranged []string      `json:"arranged"`
}

func optionIDs(list []quiz.Option) []string {
	out := []string{}
	for _, o := range list {
		out = append(out, o.ID)
	}
	return out
}

func vectors() []vector {
	two := quiz.Plan{
		Sections: []quiz.Section{
			{Questions: []string{"fixed-1", "fixed-2"}, Draw: &quiz.Draw{Bank: "first", Count: 2}},
			{Draw: &quiz.Draw{Bank: "second", Count: 3}},
			{Questions: []string{"fixed-3"}},
			{Draw: &quiz.Draw{Bank: "first", Count: 1}},
		},
		Banks: map[string][]string{"first": ids("a", 7), "second": ids("b", 4)},
	}
	options := []quiz.Option{{ID: "one"}, {ID: "none", Last: true}, {ID: "two"}, {ID: "three"}, {ID: "four"}, {ID: "all", Last: true}}
	var out []vector
	add := func(p quiz.Plan, s quiz.Seed, question string, n int) {
		o := options[:n]
		out = append(out, vector{s, p, p.Shown(s), question, o, optionIDs(quiz.Arrange(s, question, o))})
	}
	for attempt := 1; attempt <= 6; attempt++ {
		add(two, seed(1, attempt), "a1", len(options))
	}
	add(two, quiz.Seed{Quiz: "check", Attempt: 1}, "a1", len(options)) // nobody's
	add(two, seed(2, 1000), "b2", 3)
	add(bank(300, 100), seed(3, 999), "q300", 1)
	add(bank(1, 1), seed(4, 2), "q1", 2)
	add(quiz.Plan{Sections: []quiz.Section{{Questions: []string{"x", "y"}}}}, seed(5, 1), "x", 4)
	return out
}

func TestDrawVectors(t *testing.T) {
	const file = "testdata/draws.json"
	got := vectors()
	if *update {
		var lines []string
		for _, v := range got {
			data, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, string(data))
		}
		if err := os.WriteFile(file, []byte("[\n"+strings.Join(lines, ",\n")+"\n]\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var want []vector
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	// What an attempt showed is in the record for ever, and the page computes it too: this must never change.
	if !reflect.DeepEqual(got, want) {
		t.Errorf("draws differ from %s", file)
	}
}

// TestDrawProperties tries quizzes of every shape.
func TestDrawProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		size := 1 + r.IntN(30)
		first := r.IntN(size) + 1
		counts := []int{first}
		if size > first && r.IntN(2) == 0 {
			counts = append(counts, 1+r.IntN(size-first))
		}
		p := bank(size, counts...)
		step := 0
		for _, n := range counts {
			step += n
		}
		who, attempt := r.IntN(1000), 1+r.IntN(quiz.MaxAttempt)
		shown := p.Shown(seed(who, attempt))
		if again := p.Shown(seed(who, attempt)); !slices.Equal(shown, again) {
			t.Fatalf("the same seed shows %v and %v", shown, again)
		}
		if len(shown) != step || len(set(shown)) != step {
			t.Fatalf("%d of %d: %v", step, size, shown)
		}
		// As few as can be come from the attempt before.
		next := p.Shown(seed(who, attempt+1))
		met := 0
		for id := range set(next) {
			if slices.Contains(shown, id) {
				met++
			}
		}
		if met != max(0, 2*step-size) {
			t.Fatalf("%d of %d: %d met again: %v after %v", step, size, met, next, shown)
		}
		// Nothing comes up again before all have.
		times := map[string]int{}
		n := 0
		for n*step < size {
			n++
			for _, id := range p.Shown(seed(who, attempt+n)) {
				times[id]++
			}
		}
		if len(times) != size {
			t.Fatalf("%d of %d: after %d attempts only %d questions came up", step, size, n, len(times))
		}
		for id, k := range times {
			if k > 2 {
				t.Fatalf("%d of %d: %s came up %d times in %d attempts", step, size, id, k, n)
			}
		}
	}
}

func set(list []string) map[string]bool {
	out := map[string]bool{}
	for _, s := range list {
		out[s] = true
	}
	return out
}

// even tells whether counts are near enough to their mean: chi-squared, with a bound that a fair shuffle passes but once in a million.
func even(t *testing.T, what string, counts []int) {
	t.Helper()
	total := 0
	for _, n := range counts {
		total += n
	}
	mean := float64(total) / float64(len(counts))
	chi := 0.0
	for _, n := range counts {
		d := float64(n) - mean
		chi += d * d / mean
	}
	free := float64(len(counts) - 1)
	if chi > free+5*math.Sqrt(2*free)+12 {
		t.Errorf("%s: chi-squared %.1f with %.0f degrees of freedom: %v", what, chi, free, counts)
	}
}

// Every question is met as often as the others, in every place, by learners whose ids differ in one digit.
func TestDrawIsEven(t *testing.T) {
	const people, size, take = 12000, 8, 3
	p := bank(size, take)
	for _, attempt := range []int{1, 2, 7} {
		drawn := make([]int, size)
		places := make([]int, size*take)
		pairs := map[[2]int]int{}
		for who := range people {
			var at []int
			for place, id := range p.Shown(seed(who, attempt)) {
				var n int
				_, _ = fmt.Sscanf(id, "q%d", &n)
				drawn[n-1]++
				places[(n-1)*take+place]++
				at = append(at, n)
			}
			slices.Sort(at)
			pairs[[2]int{at[0], at[1]}]++
		}
		even(t, fmt.Sprintf("questions of attempt %d", attempt), drawn)
		even(t, fmt.Sprintf("places of attempt %d", attempt), places)
		if len(pairs) != size*(size-1)/2-(size-1) { // the last can be no second
			t.Errorf("attempt %d: %d pairs", attempt, len(pairs))
		}
	}
}

func TestArrange(t *testing.T) {
	options := []quiz.Option{{ID: "a"}, {ID: "none", Last: true}, {ID: "b"}, {ID: "c"}, {ID: "d"}, {ID: "all", Last: true}}
	orders := map[string]int{}
	for who := range 6000 {
		s := seed(who, 1+who%3)
		got := optionIDs(quiz.Arrange(s, "q1", options))
		if len(set(got)) != 6 || got[4] != "none" || got[5] != "all" {
			t.Fatalf("%v", got)
		}
		orders[fmt.Sprint(got)]++
	}
	if len(orders) != 24 {
		t.Errorf("%d orders of 4 options", len(orders))
	}
	even(t, "orders", slices.Collect(maps.Values(orders)))
	if options[1].ID != "none" {
		t.Error("the options of the quiz have been moved")
	}
	// Another attempt and another question are other orders: over many people no more often the same than by chance.
	same := 0
	for who := range 2400 {
		if slices.Equal(optionIDs(quiz.Arrange(seed(who, 1), "q1", options)), optionIDs(quiz.Arrange(seed(who, 2), "q1", options))) {
			same++
		}
	}
	if same < 60 || same > 150 {
		t.Errorf("the order stayed %d times of 2400; one in 24 would be 100", same)
	}
}

// What a course published before has no plan: all its questions are asked, whatever the attempt.
func TestMarkWithoutPlan(t *testing.T) {
	q, _ := exam(t)
	m, err := quiz.Mark(q, seed(1, 3), nil)
	if err != nil || len(m.Questions) != len(q.Questions) {
		t.Errorf("%+v %v", m, err)
	}
}

// An answer counts for the questions of its attempt only.
func TestMarkDraw(t *testing.T) {
	v := quiz.Vault{Graded: true, Pass: 1, Plan: bank(6, 2)}
	one := 1.0
	for _, id := range ids("q", 6) {
		v.Questions = append(v.Questions, quiz.VaultQuestion{ID: id, Type: quiz.Number, Points: 1, Key: quiz.Key{Number: &one}})
	}
	s := seed(1, 1)
	shown := v.Shown(s)
	responses := map[string]json.RawMessage{shown[0]: json.RawMessage("1"), shown[1]: json.RawMessage("1")}
	m, err := quiz.Mark(v, s, responses)
	if err != nil || m.Score != 1 || !m.Passed || len(m.Questions) != 2 || m.Questions[0].ID != shown[0] {
		t.Fatalf("%+v %v", m, err)
	}
	if m, err := quiz.Mark(v, s, map[string]json.RawMessage{shown[0]: json.RawMessage("1")}); err != nil || m.Score != 0.5 {
		t.Errorf("half of it: %+v %v", m, err)
	}
	for _, other := range []quiz.Seed{seed(1, 2), seed(1, 3)} {
		_, err := quiz.Mark(v, other, responses)
		if got := detail(err); got != "/"+slices.Min(shown)+" quiz.not_drawn" {
			t.Errorf("answers of attempt 1 in attempt %d: %s", other.Attempt, got)
		}
	}
	_, err = quiz.Mark(v, s, map[string]json.RawMessage{"q7": json.RawMessage("1")})
	if got := detail(err); got != "/q7 quiz.unknown_question" {
		t.Errorf("a question that is none: %s", got)
	}
}
