package labdef

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

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
func (l *Lab) UnmarshalJSON(data []byte) error {
	type today Lab
	var in struct {
		today
		Wrong json.RawMessage `json:"wrong"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*l = Lab(in.today)
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
func (p *Public) UnmarshalJSON(data []byte) error {
	type today Public
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
