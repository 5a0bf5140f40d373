// Package openapi is the contract: openapi.yaml is edited, openapi.gen.go follows.
package openapi

import (
	_ "embed"
	"fmt"

	"github.com/getkin/kin-openapi/openapi3"
)

// YAML is the contract as it is served at /api/openapi.yaml.
//
//go:embed openapi.yaml
var YAML []byte

// Load parses the contract.
func Load() (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromData(YAML)
	if err != nil {
		return nil, fmt.Errorf("read openapi.yaml: %w", err)
	}
	return doc, nil
}
