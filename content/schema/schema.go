// Package schema holds the JSON Schema of every YAML file of a course, for the checker and for editors.
package schema

import "embed"

// Files holds the schemas: course, quiz, bank, lab, glossary and media of a course, framework, crosswalk and framework-locale, each <name>.schema.json (draft 2020-12).
//
// Beside the keywords of JSON Schema they use one of ours: x-fault, on a schema
// with a pattern, names the message key that says what is wrong when the pattern does not match.
//
//go:embed *.schema.json
var Files embed.FS
