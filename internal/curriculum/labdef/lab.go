// Package labdef is a lab once it is compiled: what the page gets of it, and what it is in full.
package labdef

import (
	"time"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/curriculum/quiz"
)

// Public is what the page gets of a lab, in one language.
type Public struct {
	ID          string            `json:"id"`
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
	Langs map[string]string `json:"langs,omitempty"`
}

// Lab is a lab in full.
type Lab struct {
	Entry       string                `json:"entry"`
	Limits      Limits                `json:"limits"`
	Points      float64               `json:"points"`
	Competences []string              `json:"competences,omitempty"`
	Seed        uint64                `json:"seed"`
	Clock       time.Time             `json:"clock"`
	Files       map[string]string     `json:"files"`            // data files by name: the first room gets them
	Hidden      map[string]string     `json:"hidden,omitempty"` // by path, hidden/… and judges/…: the first room never gets them
	Checks      []Check               `json:"checks"`
	Langs       map[string]quiz.Langs `json:"langs,omitempty"` // of the texts of checks, as Public has them; versions of old do not tell it
	Starter     string                `json:"starter"`
	Solution    string                `json:"solution"`
	Wrong       []WrongSolution       `json:"wrong,omitempty"`
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

// Digest names a lab by its content: two labs with the same digest give the same verdicts.
func (l Lab) Digest() (blob.Digest, error) {
	data, err := blob.JSON(l)
	if err != nil {
		return "", err
	}
	return blob.Of(data), nil
}
