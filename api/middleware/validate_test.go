package middleware

import (
	"encoding/json"
	"testing"

	"github.com/banyan-lms/banyan/api/openapi"
)

// Validate reads the schemas as OpenAPI 3.0. What only 3.1 knows would be passed over in silence.
func TestTheContractKeepsToWhatValidateReads(t *testing.T) {
	doc, err := openapi.Load()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		t.Fatal(err)
	}
	var walk func(at string, node any)
	walk = func(at string, node any) {
		switch n := node.(type) {
		case map[string]any:
			for name, inner := range n {
				switch name {
				case "const", "if", "then", "else", "contains", "minContains", "maxContains", "prefixItems", "patternProperties", "propertyNames",
					"dependentSchemas", "dependentRequired", "unevaluatedItems", "unevaluatedProperties", "$defs", "$dynamicRef":
					t.Errorf("%s/%s is of JSON Schema 2020-12", at, name)
				case "type", "exclusiveMinimum", "exclusiveMaximum":
					switch inner.(type) {
					case []any, float64:
						t.Errorf("%s/%s has a form of JSON Schema 2020-12", at, name)
					}
				}
				walk(at+"/"+name, inner)
			}
		case []any:
			for _, inner := range n {
				walk(at, inner)
			}
		}
	}
	walk("", tree)
}
