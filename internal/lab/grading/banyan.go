package grading

import _ "embed"

// Banyan is the Python module with which a learner's code shows tables and
// charts; see docs/banyan-module.md. It draws nothing: it prints records, which
// the page makes visible.
//
//go:embed banyan.py
var Banyan []byte

// BanyanName is the file that every run gets it in.
const BanyanName = "banyan.py"
