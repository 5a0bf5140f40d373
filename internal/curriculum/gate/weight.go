package gate

import (
	"bytes"
	"compress/gzip"
	"strconv"

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
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, 6) // the level is valid
	_, _ = w.Write(data)               // a buffer takes everything
	_ = w.Close()
	return min(b.Len(), len(data))
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
				out = append(out, found(l.File, 1, key, "Lesson", l.Item, "Locale", l.Locale, "Size", strconv.Itoa((bytes+1023)>>10), "Most", strconv.Itoa(kib), "Option", option))
			}
		}
		heavy("gate.text_heavy", l.Weight.Text, b.Text, textKiB, "text_kib")
		if l.Source { // every language shows the same
			heavy("gate.pictures_heavy", l.Weight.Pictures-l.Weight.Text, b.Pictures, pictureKiB, "picture_kib")
			heavy("gate.audio_heavy", l.Weight.All-l.Weight.Pictures, b.Audio, audioKiB, "audio_kib")
		}
		most := want.Grade
		if most == 0 {
			most = defaultGrade
		}
		if l.Level.Grade > most {
			f := found(l.File, 1, "gate.hard_to_read", "Lesson", l.Item, "Locale", l.Locale, "Grade", strconv.FormatFloat(l.Level.Grade, 'f', 1, 64),
				"Most", strconv.FormatFloat(most, 'f', -1, 64))
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
