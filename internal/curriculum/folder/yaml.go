package folder

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxDepth bounds lists and maps inside each other. The format itself needs 6.
const maxDepth = 32

// Document is a YAML file as JSON values (map[string]any, []any, string,
// float64, bool, nil), with the line of each by JSON pointer.
type Document struct {
	File  string
	value any
	lines map[string]int
	Fit   bool // its syntax is right, so rules may look at it
}

// Line finds where a pointer stands, or else what holds it.
func (d *Document) Line(pointer string) int {
	for {
		if n, ok := d.lines[pointer]; ok {
			return n
		}
		i := strings.LastIndexByte(pointer, '/')
		if i < 0 {
			return 1
		}
		pointer = pointer[:i]
	}
}

var yamlErrorLine = regexp.MustCompile(`line (\d+):`)

// parseYAML reads the part of YAML that is JSON with comments. Anchors, aliases
// and tags are faults: they make a small file stand for a huge one, and no
// author of a course needs them.
func parseYAML(file string, data []byte, faults *Faults) *Document {
	doc := &Document{File: file, lines: map[string]int{"": 1}}
	if line := tooNested(data); line > 0 {
		faults.Add(file, line, "course.too_deep")
		return doc
	}
	var root yaml.Node
	dec := yaml.NewDecoder(strings.NewReader(string(data)))
	if err := decodeYAML(dec, &root); err != nil {
		switch {
		case errors.Is(err, io.EOF):
			faults.Add(file, 1, "course.empty_file")
		case strings.Contains(err.Error(), "unknown anchor"):
			faults.Add(file, brokenLine(data, err, faults), "course.yaml_alias")
		default:
			faults.Add(file, brokenLine(data, err, faults), "course.bad_yaml")
		}
		return doc
	}
	var second yaml.Node
	if err := decodeYAML(dec, &second); !errors.Is(err, io.EOF) {
		faults.Add(file, max(second.Line, 1), "course.second_document")
		return doc
	}
	if len(root.Content) != 1 {
		faults.Add(file, 1, "course.empty_file")
		return doc
	}
	r := yamlReader{doc: doc, faults: faults}
	doc.value = r.read(root.Content[0], "", 0)
	doc.Fit = true
	return doc
}

// Finding a broken line takes many readings of a file, so only the first few small files get it.
const (
	maxSearches   = 10
	maxSearchSize = 64 << 10
	maxFlow       = 8 // lines that one bracket or quote may span without misleading the search
)

// brokenLine finds the line after the last one up to which the file can be read. The library names the
// line where the broken list or map began, which may be far above.
func brokenLine(data []byte, err error, faults *Faults) int {
	reported := 1
	if m := yamlErrorLine.FindStringSubmatch(err.Error()); m != nil {
		reported, _ = strconv.Atoi(m[1])
	}
	if faults.searches++; faults.searches > maxSearches || len(data) > maxSearchSize {
		return reported
	}
	lines := strings.SplitAfter(string(data), "\n")
	readable := func(n int) bool {
		var node yaml.Node
		err := decodeYAML(yaml.NewDecoder(strings.NewReader(strings.Join(lines[:n], ""))), &node)
		return err == nil || errors.Is(err, io.EOF)
	}
	good, bad := 0, len(lines)
	for bad-good > 1 {
		mid := (good + bad) / 2
		// A line inside brackets is unreadable until they close.
		found := false
		for n := mid; n < min(mid+maxFlow, bad) && !found; n++ {
			if found = readable(n); found {
				good = n
			}
		}
		if !found {
			bad = mid
		}
	}
	return min(good+1, len(lines))
}

// decodeYAML turns a panic of the parser on hostile bytes into an error.
func decodeYAML(dec *yaml.Decoder, n *yaml.Node) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("parse yaml: %v", p)
		}
	}()
	return dec.Decode(n)
}

// tooNested finds a line with a tower of brackets or dashes before the parser has
// to climb it, or 0. It looks at bytes only, so brackets in texts count too: the bound is generous.
func tooNested(data []byte) int {
	line, run := 1, 0
	for _, c := range data {
		switch c {
		case '\n':
			line++
		case '[', '{':
			run++
		case ']', '}':
			run = max(run-1, 0)
		}
		if run > 8*maxDepth {
			return line
		}
	}
	for i, l := range strings.Split(string(data), "\n") {
		marks := 0
		for _, c := range strings.TrimLeft(l, " ") {
			if c == '-' || c == '?' || c == ':' {
				marks++
			} else if c != ' ' {
				break
			}
		}
		indent := len(l) - len(strings.TrimLeft(l, " "))
		if marks > 8*maxDepth || indent > 16*maxDepth && strings.TrimSpace(l) != "" {
			return i + 1
		}
	}
	return 0
}

type yamlReader struct {
	doc    *Document
	faults *Faults
}

func (r *yamlReader) fault(n *yaml.Node, key string, args ...string) {
	r.faults.Add(r.doc.File, max(n.Line, 1), key, args...)
}

// unknown stands for a value that was at fault already: rules and schema leave it alone.
type unknown struct{}

func (r *yamlReader) read(n *yaml.Node, pointer string, depth int) any {
	if _, ok := r.doc.lines[pointer]; !ok {
		r.doc.lines[pointer] = max(n.Line, 1)
	}
	switch {
	case depth > maxDepth:
		r.fault(n, "course.too_deep")
		return unknown{}
	case n.Kind == yaml.AliasNode, n.Anchor != "":
		r.fault(n, "course.yaml_alias")
		return unknown{}
	case n.Style&yaml.TaggedStyle != 0:
		r.fault(n, "course.yaml_tag", "Tag", n.Tag)
		return unknown{}
	}
	switch n.Kind {
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for i, c := range n.Content {
			list = append(list, r.read(c, pointer+"/"+strconv.Itoa(i), depth+1))
		}
		return list
	case yaml.MappingNode:
		m := make(map[string]any, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			k, v := n.Content[i], n.Content[i+1]
			if k.Anchor != "" || k.Kind == yaml.AliasNode {
				r.fault(k, "course.yaml_alias")
				continue
			}
			if k.Kind != yaml.ScalarNode || k.ShortTag() != "!!str" && k.ShortTag() != "!!merge" {
				r.fault(k, "course.key_not_text", "Key", k.Value)
				continue
			}
			if _, ok := m[k.Value]; ok {
				r.fault(k, "course.duplicate_key", "Key", k.Value)
				continue
			}
			p := pointer + "/" + escapePointer(k.Value)
			r.doc.lines[p] = max(k.Line, 1)
			m[k.Value] = r.read(v, p, depth+1)
		}
		return m
	case yaml.ScalarNode:
		return r.scalar(n)
	}
	r.fault(n, "course.bad_yaml")
	return unknown{}
}

// jsonNumber leaves out YAML's octal, hexadecimal, sexagesimal and underscored numbers, which surprise people.
var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

func (r *yamlReader) scalar(n *yaml.Node) any {
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int", "!!float":
		f, err := strconv.ParseFloat(n.Value, 64)
		whole := n.ShortTag() == "!!int"
		if err != nil || !IsNumber(n.Value) || math.IsInf(f, 0) || whole && math.Abs(f) >= 1<<53 {
			r.fault(n, "course.bad_number", "Value", n.Value)
			return unknown{}
		}
		if f == 0 {
			f = 0 // -0 would be another byte for the same number
		}
		return f
	}
	return n.Value // text; also what YAML would take for a date or a merge
}

// IsNumber tells whether a text is a number as JSON writes it.
func IsNumber(s string) bool { return jsonNumber.MatchString(s) }

func escapePointer(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "~", "~0"), "/", "~1")
}

// Into fills a struct with what has the right type; the schema has already
// told of the rest.
func (d *Document) Into(v any) {
	data, err := json.Marshal(known(d.value))
	if err != nil {
		return
	}
	_ = json.Unmarshal(data, v) // goes on after a value of a wrong type
}

// known leaves out values that were at fault.
func known(v any) any {
	switch v := v.(type) {
	case unknown:
		return nil
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, e := range v {
			m[k] = known(e)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = known(e)
		}
		return list
	}
	return v
}
