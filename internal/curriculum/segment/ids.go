package segment

import (
	"bytes"
	"crypto/sha256"
	"strconv"
	"strings"
)

// letters are those of an id: no l, o, i that look like digits.
const letters = "abcdefghjkmnpqrstuvwxyz"

const alphabet = letters + "23456789"

// NewID makes an id from the file and the text that it is for: the same on every
// machine, so that it can be foretold. taken are the ids of the whole course, and gets the new one.
func NewID(file, source string, taken map[string]bool) string {
	for n := 0; ; n++ {
		sum := sha256.Sum256([]byte(file + "\x00" + source + "\x00" + strconv.Itoa(n)))
		id := []byte{letters[int(sum[0])%len(letters)]}
		for _, b := range sum[1:7] {
			id = append(id, alphabet[int(b)%len(alphabet)])
		}
		if !taken[string(id)] {
			taken[string(id)] = true
			return string(id)
		}
	}
}

// Marked are the ids that the page's markers give, with the line of each, from 1.
func (p *Page) Marked() map[string][]int {
	out := map[string][]int{}
	for _, marks := range []map[int]string{p.marks, p.after} {
		for i, id := range marks {
			out[id] = append(out[id], p.original[i]+1)
		}
	}
	return out
}

// GiveIDs gives every segment of a page without an id the one that it would get written, and tells which need a
// marker for that. Segments of one directive share theirs.
func GiveIDs(file string, segments []Segment, taken map[string]bool) map[int]string {
	fresh := map[int]string{}
	byOwner := map[int]string{}
	for i := range segments {
		s := &segments[i]
		if s.ID != "" {
			continue
		}
		id, known := byOwner[s.owner]
		if !known || s.ends == "" {
			id = NewID(file, s.Source, taken)
			fresh[i] = id
			if s.ends != "" {
				byOwner[s.owner] = id
			}
		}
		s.ID = id + s.ends
	}
	return fresh
}

// WriteIDs gives the file with a marker for every segment that has none. raw are its bytes as they lie on disk, with
// whatever byte order mark and line ends; nothing else changes. A page that cannot be read comes back as it is.
func WriteIDs(file string, raw []byte, taken map[string]bool) []byte {
	p, line := Parse(Normal(raw))
	if line > 0 {
		return raw
	}
	fresh := GiveIDs(file, p.Segments, taken)
	if len(fresh) == 0 {
		return raw
	}
	lines := bytes.SplitAfter(raw, []byte("\n"))
	behind := map[int]string{} // by line of the file, from 0
	below := map[int]string{}
	for i, id := range fresh {
		s := p.Segments[i]
		at := p.original[s.owner]
		if s.alone {
			below[at] = prefix(p.line(s.owner), s.Kind) + "{#" + id + "}"
		} else {
			behind[at] = " {#" + id + "}"
		}
	}
	var out bytes.Buffer
	for i, l := range lines {
		body := bytes.TrimSuffix(l, []byte("\n"))
		body = bytes.TrimSuffix(body, []byte("\r"))
		end := l[len(body):]
		out.Write(body)
		out.WriteString(behind[i])
		out.Write(end)
		if mark, ok := below[i]; ok {
			newline := string(end)
			if newline == "" {
				newline = "\n"
				if bytes.Contains(raw, []byte("\r\n")) {
					newline = "\r\n"
				}
				out.WriteString(newline + mark)
				continue
			}
			out.WriteString(mark + newline)
		}
	}
	return out.Bytes()
}

// prefix is what a line needs to stand in the same quotes and list items as another.
func prefix(line string, k Kind) string {
	stop := len(line) - len(strings.TrimLeft(line, " \t>-*+0123456789.)"))
	if k == Table && strings.Contains(line, "|") {
		stop = min(stop, strings.Index(line, "|"))
	}
	var b strings.Builder
	for _, c := range line[:stop] {
		if c != '>' && c != '\t' {
			c = ' '
		}
		b.WriteRune(c)
	}
	return b.String()
}

// Normal takes off what editors on Windows add, a byte order mark and
// CR before LF, so that the same text is the same version on every machine.
func Normal(data []byte) []byte {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	return bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
}
