// Package gate holds a course against what readers and their phones can bear before it is published.
//
// What it finds is either a fault, which refuses the course, or advice, which is shown to the author and refuses nothing. A fault is
// what a reader cannot mend: words nobody can read, a picture that says nothing to the blind, a medium that may not be
// passed on, a lesson that a prepaid phone cannot afford. Advice is what a formula only guesses. Each comes with its cure.
package gate

import (
	"math"
	"path"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/banyan-lms/banyan/internal/curriculum/media"
	"github.com/banyan-lms/banyan/internal/fault"
)

// Finding is a place that a reader would stumble over.
type Finding struct {
	fault.Detail
	Advice bool // refuses nothing
}

// found writes a finding. args are pairs of name and value; numbers stay numbers, so that each reader sees them in their own way.
func found(file string, line int, key string, args ...any) Finding {
	d := fault.Detail{File: file, Line: line, Key: key}
	for i := 0; i+1 < len(args); i += 2 {
		if d.Args == nil {
			d.Args = map[string]any{}
		}
		d.Args[args[i].(string)] = args[i+1]
	}
	return Finding{Detail: d}
}

func (f Finding) advice() Finding {
	f.Advice = true
	return f
}

// Medium is a picture or a recording with what media.yaml says of it.
type Medium struct {
	File, Licence, Source, Author string
	Line                          int  // in media.yaml
	Used                          bool // some page shows it
}

// Media looks at where media come from, and whether a course under its licence may carry them.
func Media(courseLicence string, list []Medium) []Finding {
	var out []Finding
	add := func(m Medium, key string, args ...any) {
		out = append(out, found("media.yaml", m.Line, key, append(args, "File", m.File)...))
	}
	for _, m := range list {
		terms, known := licences[m.Licence]
		course, courseKnown := licences[courseLicence]
		switch {
		case m.Licence == "":
			add(m, "gate.no_licence")
		case !known:
			add(m, "gate.unknown_licence", "Licence", m.Licence)
		case courseKnown && (terms.noncommercial && !course.noncommercial || terms.unchanged && !course.unchanged):
			add(m, "gate.licence_misfit", "Licence", m.Licence, "Course", courseLicence)
		case courseKnown && terms.alike && (!course.alike || course.noncommercial != terms.noncommercial):
			add(m, "gate.licence_alike", "Licence", m.Licence, "Course", courseLicence)
			out[len(out)-1].Advice = true
		}
		if vague(m.Source) {
			add(m, "gate.no_source")
		}
		if known && terms.named && strings.TrimSpace(m.Author) == "" {
			add(m, "gate.no_author", "Licence", m.Licence)
		}
		if !m.Used {
			out = append(out, found("media/"+m.File, 1, "gate.unused_medium").advice())
		}
	}
	return out
}

// vague tells whether nobody could find a source by these words.
func vague(source string) bool {
	s := strings.ToLower(strings.Trim(strings.TrimSpace(source), "."))
	switch s {
	case "internet", "the internet", "web", "the web", "online", "google", "google images", "unknown", "n/a", "none", "tbd", "todo", "various", "social media", "whatsapp", "facebook":
		return true
	}
	return utf8.RuneCountInString(s) < 3
}

// terms is what a licence asks of whoever passes a work on.
type terms struct {
	named, alike, noncommercial, unchanged bool
}

// licences are those that we know, by SPDX identifier. A medium under another cannot be judged, so it is refused.
var licences = func() map[string]terms {
	out := map[string]terms{}
	for _, id := range []string{"CC0-1.0", "CC-PDDC", "CC-PDM-1.0", "PDDL-1.0", "Unlicense", "0BSD", "LicenseRef-public-domain"} {
		out[id] = terms{}
	}
	for _, id := range []string{"MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "OGL-UK-3.0", "ODC-By-1.0", "etalab-2.0", "OFL-1.1"} {
		out[id] = terms{named: true}
	}
	for _, id := range []string{"LAL-1.3", "GFDL-1.2-only", "GFDL-1.2-or-later", "GFDL-1.3-only", "GFDL-1.3-or-later", "GPL-2.0-or-later", "GPL-3.0-only", "GPL-3.0-or-later", "ODbL-1.0"} {
		out[id] = terms{named: true, alike: true}
	}
	for _, version := range []string{"2.0", "2.5", "3.0", "3.0-IGO", "4.0"} {
		out["CC-BY-"+version] = terms{named: true}
		out["CC-BY-SA-"+version] = terms{named: true, alike: true}
		out["CC-BY-NC-"+version] = terms{named: true, noncommercial: true}
		out["CC-BY-NC-SA-"+version] = terms{named: true, noncommercial: true, alike: true}
		out["CC-BY-ND-"+version] = terms{named: true, unchanged: true}
		out["CC-BY-NC-ND-"+version] = terms{named: true, noncommercial: true, unchanged: true}
	}
	return out
}()

// What an alternative text holds, in characters. A screen reader speaks about 15 in a second and cannot pause inside.
const (
	leastAlt = 5
	mostAlt  = 300
)

var (
	fileName = regexp.MustCompile(`(?i)^\S+\.(?:svg|png|jpe?g|webp|gif|heic|bmp)$|^(?:img|dsc|image|picture|photo|screenshot|figure)[-_ ]?[0-9]*$`)
	says     = regexp.MustCompile(`(?i)^(?:an? |the )?(?:image|picture|photo|photograph|drawing|figure|diagram|illustration) (?:of|showing|that shows) `)
)

// Alt looks at the alternative text of a picture in the language of the course.
func Alt(file string, line int, picture, text string) []Finding {
	text = strings.TrimSpace(text)
	stem := strings.TrimSuffix(picture, path.Ext(picture))
	plain := strings.ToLower(strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '.' {
			return ' '
		}
		return r
	}, text))
	n := utf8.RuneCountInString(text)
	switch {
	case fileName.MatchString(text), plain == strings.ReplaceAll(stem, "-", " "):
		return []Finding{found(file, line, "gate.alt_is_a_name", "Text", text)}
	case n < leastAlt:
		return []Finding{found(file, line, "gate.alt_too_short", "Text", text)}
	case n > mostAlt:
		return []Finding{found(file, line, "gate.alt_too_long", "Length", n, "Most", mostAlt)}
	case says.MatchString(text):
		return []Finding{found(file, line, "gate.alt_says_picture").advice()}
	}
	return nil
}

// Transcript looks at whether a transcript can hold what a recording says. Slow speech has 60 words a minute;
// music and pauses have none, so too few is only advised about.
func Transcript(file string, line, words int, lasts time.Duration) []Finding {
	if minutes := lasts.Minutes(); minutes >= 0.25 && float64(words) < 40*minutes {
		return []Finding{found(file, line, "gate.transcript_short", "Words", words, "Lasts", fault.Lasting(lasts)).advice()}
	}
	return nil
}

// Recording looks at how a recording is encoded. Anything but Opus at the rate of speech wastes a reader's money.
func Recording(name string, s media.Sound) []Finding {
	const speech = 40_000 // bits a second: Opus is good at 16,000 to 24,000
	if s.Codec == "opus" && s.Bitrate() <= speech {
		return nil
	}
	stem := strings.TrimSuffix(name, path.Ext(name))
	small := int64(24_000) * s.Duration.Milliseconds() / 8000
	if small >= int64(len(s.Data)) {
		return nil
	}
	out := stem + ".opus"
	if out == name {
		out = stem + "-small.opus"
	}
	command := "ffmpeg -i media/" + name + " -ac 1 -c:a libopus -b:a 24k -application voip media/" + out
	if s.Codec == "pcm" {
		command = "opusenc --bitrate 24 --downmix-mono --speech media/" + name + " media/" + out
	}
	return []Finding{found("media/"+name, 1, "gate.recording_heavy",
		"Size", fault.Bytes(len(s.Data)), "Opus", fault.Bytes(small), "Command", command).advice()}
}

// Drawing looks at whether the words of an SVG drawing can be read on what lies under them.
func Drawing(file string, svg []byte) []Finding {
	var out []Finding
	for _, c := range media.Contrasts(svg) {
		if c.Ratio >= c.Need {
			continue
		}
		out = append(out, found(file, c.Line, "gate.contrast", "Text", c.Text,
			"Ratio", math.Floor(c.Ratio*10)/10, "Need", c.Need))
	}
	return out
}
