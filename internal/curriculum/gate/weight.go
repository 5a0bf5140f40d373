package gate

import (
	"compress/gzip"
	"crypto/sha256"
	"math"
	"sync"

	"github.com/banyan-lms/banyan/internal/curriculum/reading"
)

// Weight is how many bytes an item takes to send once, by what is fetched: its text, its text with pictures, and all of it. Text and
// drawings count as gzip sends them; browsers that take brotli get about a tenth less. The shell of the page is not counted, for
// it is fetched once.
type Weight struct {
	Text     int `json:"text"`
	Pictures int `json:"pictures"` // with the text
	All      int `json:"all"`      // with recordings too
}

// Add gives the sum of both.
func (w Weight) Add(o Weight) Weight {
	return Weight{w.Text + o.Text, w.Pictures + o.Pictures, w.All + o.All}
}

// Same is the weight of what everybody fetches.
func Same(bytes int) Weight { return Weight{bytes, bytes, bytes} }

// Sent is how large data is on its way. Short texts go as they are.
func Sent(data []byte) int {
	if len(data) < 860 {
		return len(data)
	}
	return min(sizes.Find(sha256.Sum256(data), func() int {
		var n counter
		w := writers.Get().(*gzip.Writer)
		w.Reset(&n)
		_, _ = w.Write(data) // counting takes everything
		_ = w.Close()
		writers.Put(w)
		return int(n)
	}), len(data))
}

// sizes are of what was weighed before: of a course that is published again nearly all is the same.
var sizes Memo[int]

// writers are kept because each takes 800 kB.
var writers = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, 6) // the level is valid
	return w
}}

type counter int

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

// Memo remembers what was found for some bytes, by their sum. It forgets everything when it is full. Its zero value works.
type Memo[V any] struct {
	mu    sync.Mutex
	known map[[sha256.Size]byte]V
}

// maxMemo bounds a memo: of 300 lessons in 20 languages nothing is forgotten.
const maxMemo = 20_000

// Find gives what is known, or makes it.
func (m *Memo[V]) Find(sum [sha256.Size]byte, find func() V) V {
	m.mu.Lock()
	v, ok := m.known[sum]
	m.mu.Unlock()
	if ok {
		return v
	}
	v = find() // two may do so at once, and find the same
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil || len(m.known) >= maxMemo {
		m.known = map[[sha256.Size]byte]V{}
	}
	m.known[sum] = v
	return v
}

// Budget is how much a lesson may weigh, in KiB. Its zero value is what a lesson weighs by default.
type Budget struct {
	Text     int `json:"text_kib"`
	Pictures int `json:"picture_kib"`
	Audio    int `json:"audio_kib"`
}

// By default a lesson of text costs a tenth of a second on 3G, one with pictures a second, one with a recording of three minutes four.
const (
	textKiB    = 40
	pictureKiB = 100
	audioKiB   = 500
)

// Level is the school year that texts are written for. Its zero value is year 9, and only advises.
type Level struct {
	Grade float64 `json:"grade"`
}

const defaultGrade = 9

// Lesson is a lesson in one language, as it is sent.
type Lesson struct {
	File   string // that its author or translator edits
	Item   string
	Locale string
	Source bool // it is the language of the course
	Weight Weight
	Level  reading.Level
	Line   int // where its longest sentence stands in File
}

// Limit is the school year above which a lesson is hard to read.
func (l Level) Limit() float64 {
	if l.Grade == 0 {
		return defaultGrade
	}
	return l.Grade
}

// Lessons looks at what lessons weigh and how hard they are to read.
func Lessons(list []Lesson, b Budget, want Level) []Finding {
	var out []Finding
	for _, l := range list {
		heavy := func(key string, bytes, kib, byDefault int, option string) {
			if kib == 0 {
				kib = byDefault
			}
			if bytes > kib<<10 {
				out = append(out, found(l.File, 1, key, "Lesson", l.Item, "Locale", l.Locale, "Size", (bytes+1023)>>10, "Most", kib, "Option", option))
			}
		}
		heavy("gate.text_heavy", l.Weight.Text, b.Text, textKiB, "text_kib")
		if l.Source { // every language shows the same
			heavy("gate.pictures_heavy", l.Weight.Pictures-l.Weight.Text, b.Pictures, pictureKiB, "picture_kib")
			heavy("gate.audio_heavy", l.Weight.All-l.Weight.Pictures, b.Audio, audioKiB, "audio_kib")
		}
		if most := want.Limit(); l.Level.Grade > most {
			f := found(l.File, max(l.Line, 1), "gate.hard_to_read", "Lesson", l.Item, "Locale", l.Locale, "Grade", math.Round(l.Level.Grade*10)/10, "Most", most)
			// A wish in course.yaml is for the text that its author writes. A formula of another language counts differently.
			f.Advice = want.Grade == 0 || !l.Source
			out = append(out, f)
		}
	}
	return out
}

// Figures are what there is to tell of an item in one language.
type Figures struct {
	Weight  Weight        `json:"weight"`
	Words   int           `json:"words"`
	Minutes int           `json:"minutes"` // of reading, and with its recordings played
	Level   reading.Level `json:"level"`
}
