package folder

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/banyan-lms/banyan/content/schema"
)

// schemaSet is the compiled schemas with their sources, in which we look up what a fault may say.
type schemaSet struct {
	compiled map[string]*jsonschema.Schema
	raw      map[string]any
}

// schemas compiles what is embedded, once. That it compiles is tested, so a failure is our own.
var schemas = sync.OnceValue(func() schemaSet {
	set := schemaSet{compiled: map[string]*jsonschema.Schema{}, raw: map[string]any{}}
	c := jsonschema.NewCompiler()
	for _, name := range []string{"course", "quiz", "bank", "lab", "glossary", "media"} {
		data, err := schema.Files.ReadFile(name + ".schema.json")
		if err != nil {
			panic(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			panic(fmt.Errorf("schema %s: %w", name, err))
		}
		url := "banyan:///" + name + ".schema.json"
		// The $id is for editors; here a schema is known by where it lies.
		delete(doc.(map[string]any), "$id")
		if err := c.AddResource(url, doc); err != nil {
			panic(fmt.Errorf("schema %s: %w", name, err))
		}
		set.raw[url] = doc
		if set.compiled[name], err = c.Compile(url); err != nil {
			panic(fmt.Errorf("schema %s: %w", name, err))
		}
	}
	return set
})

// at finds the schema that an error speaks of.
func (s schemaSet) at(url string) map[string]any {
	base, pointer, _ := strings.Cut(url, "#")
	v := s.raw[base]
	for _, part := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		if part == "" {
			continue
		}
		part = strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
		switch w := v.(type) {
		case map[string]any:
			v = w[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(w) {
				return nil
			}
			v = w[i]
		}
	}
	m, _ := v.(map[string]any)
	return m
}

// Check holds a document against the schema of that name and notes each difference in our own words.
func (d *Document) Check(name string, faults *Faults) {
	if !d.Fit {
		return
	}
	err := schemas().compiled[name].Validate(known(d.value))
	if err == nil {
		return
	}
	var verr *jsonschema.ValidationError
	if !errors.As(err, &verr) {
		faults.Add(d.File, 1, "course.bad_value", "Key", "")
		return
	}
	schemaFaults(verr, d, faults)
}

func schemaFaults(e *jsonschema.ValidationError, doc *Document, faults *Faults) {
	if len(e.Causes) > 0 {
		for _, c := range e.Causes {
			schemaFaults(c, doc, faults)
		}
		return
	}
	value, pointer := doc.value, ""
	for _, part := range e.InstanceLocation {
		pointer += "/" + escapePointer(part)
		switch v := value.(type) {
		case map[string]any:
			value = v[part]
		case []any:
			if i, err := strconv.Atoi(part); err == nil && i < len(v) {
				value = v[i]
			}
		}
	}
	if _, ok := value.(unknown); ok {
		return // its own fault is noted already
	}
	where := place(e.InstanceLocation)
	line := doc.Line(pointer)
	add := func(key string, args ...string) {
		faults.Add(doc.File, line, key, append([]string{"Key", where}, args...)...)
	}
	sch := schemas().at(e.SchemaURL)
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		for _, m := range k.Missing {
			faults.Add(doc.File, line, "course.missing_key", "Key", m)
		}
	case *kind.AdditionalProperties:
		props, _ := sch["properties"].(map[string]any)
		names := make([]string, 0, len(props))
		for p := range props {
			names = append(names, p)
		}
		slices.Sort(names)
		for _, p := range k.Properties {
			at := doc.Line(pointer + "/" + escapePointer(p))
			if key, ok := sch["x-fault"].(string); ok {
				faults.Add(doc.File, at, key, "Key", where, "Value", p)
				continue
			}
			faults.Add(doc.File, at, "course.unknown_key", "Key", p, "Near", Near(p, names))
		}
	case *kind.Type:
		add(typeFaults[k.Want[0]])
	case *kind.Enum:
		var want []string
		for _, w := range k.Want {
			want = append(want, fmt.Sprint(w))
		}
		add("course.not_one_of", "Value", fmt.Sprint(k.Got), "Allowed", strings.Join(want, ", "))
	case *kind.Pattern:
		key, _ := sch["x-fault"].(string)
		if key == "" {
			key = "course.bad_value"
		}
		add(key, "Value", k.Got)
	case *kind.MinLength:
		add("course.empty_text")
	case *kind.MaxLength:
		add("course.text_too_long", "Most", strconv.Itoa(k.Want))
	case *kind.MinItems:
		add("course.too_few", "Least", strconv.Itoa(k.Want))
	case *kind.MaxItems:
		add("course.too_many", "Most", strconv.Itoa(k.Want))
	case *kind.UniqueItems:
		line = doc.Line(pointer + "/" + strconv.Itoa(k.Duplicates[1]))
		add("course.repeated")
	case *kind.Minimum:
		add("course.number_too_small", "Least", number(k.Want))
	case *kind.ExclusiveMinimum:
		add("course.number_not_above", "Least", number(k.Want))
	case *kind.Maximum:
		add("course.number_too_large", "Most", number(k.Want))
	default:
		add("course.bad_value")
	}
}

var typeFaults = map[string]string{
	"string":  "course.not_text",
	"number":  "course.not_a_number",
	"integer": "course.not_whole",
	"boolean": "course.not_true_or_false",
	"array":   "course.not_a_list",
	"object":  "course.not_a_map",
	"null":    "course.bad_value",
}

// place names a value as an author would: its key and, in a list, its number from 1.
func place(loc []string) string {
	if len(loc) == 0 {
		return "…"
	}
	last := loc[len(loc)-1]
	if i, err := strconv.Atoi(last); err == nil && len(loc) > 1 {
		return loc[len(loc)-2] + " " + strconv.Itoa(i+1)
	}
	return last
}

func number(r *big.Rat) string {
	f, _ := r.Float64()
	return strconv.FormatFloat(f, 'g', -1, 64)
}
